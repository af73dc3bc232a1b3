-- What of these conversations could not be judged; of repeats one judgement is enough. $2: ids of conversations; NULL: all.

select conversation_id, rubric, state, coalesce(cause, 'pending') as cause, detail
from item
where state <> 'judged' and (conversation_id, rubric) not in (select (conversation_id, rubric) from counted)
    and ($2::varchar[] is null or conversation_id in (select unnest($2::varchar[])))
qualify row_number() over (partition by conversation_id, rubric order by state, key) = 1     -- a failure before what is pending
order by conversation_id, rubric
