-- What the judge said of the conversations that the AI is taken to have resolved, since nobody came back about them. `told`: episodes.

select t.id, j.conversation_id, j.started_at, j.queue, j.reason, j.channel, j.language, j.ai_version, j.week::varchar as week,
       1 / j.probability as weight, coalesce(j.resolution, 'not judged') as resolution
from episodes_told t
join judged j on j.fact_id = t.id
where t.ai_resolved
order by j.started_at desc nulls last, j.conversation_id
