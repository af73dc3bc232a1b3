-- What could not be judged, and why.

select coalesce(cause, 'pending') as cause, state, coalesce(bool_or(retryable), true) as retryable,
       max(http_status) as http_status,
       count(*) as n_judgements, count(distinct conversation_id) as n_conversations,
       list_sort(list(distinct rubric)) as rubrics,
       min(detail) as detail,
       list(conversation_id order by conversation_id)[1:3] as examples
from item
where state <> 'judged'
group by coalesce(cause, 'pending'), state
order by n_judgements desc, cause
