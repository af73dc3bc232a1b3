-- Of repeated judgements the first one counts, so that a conversation counts once.

select conversation_id, rubric, rubric_version, key
from item
where state = 'judged'
qualify row_number() over (partition by conversation_id, rubric, rubric_version order by repeat, key) = 1
