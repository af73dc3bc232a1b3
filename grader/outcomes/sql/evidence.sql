-- The quotes behind those verdicts. $2: ids of conversations; NULL: all.

select e.key, e.criterion as code, e.message, e.quote, e.verified, e.problem
from evidence e
join counted c on c.key = e.key
where $2::varchar[] is null or c.conversation_id in (select unnest($2::varchar[]))
order by e.key, e.criterion, e.position
