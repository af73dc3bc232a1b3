-- What of these conversations could not be judged. $2: ids of conversations; NULL: all.

select conversation_id, rubric, state, coalesce(cause, 'pending') as cause, detail
from item
where state <> 'judged' and ($2::varchar[] is null or conversation_id in (select unnest($2::varchar[])))
order by conversation_id, rubric, key
