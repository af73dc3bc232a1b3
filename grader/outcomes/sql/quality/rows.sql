-- The conversations behind a figure. {of}: the condition that says which count; {columns}: what else is told of each.

select t.conversation_id, t.started_at, t.queue, t.reason, t.channel, t.language, t.ai_version, t.week::varchar as week,
       1 / t.probability as weight{columns}
from told t
where {of}
order by t.started_at desc nulls last, t.conversation_id
