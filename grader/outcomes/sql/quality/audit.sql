-- What the judge said of the conversations that the AI is taken to have resolved, since nobody came back about them. `here`: the
-- judged ones that are asked about; `told`: the episodes.

select h.conversation_id, h.started_at, h.queue, h.reason, h.channel, h.language, h.ai_version, h.week::varchar as week,
       1 / h.probability as weight,
       case when h.resolution in ('resolved', 'partly', 'not', 'unclear') then h.resolution else 'not known' end as resolution
from told t
join here h on h.fact_id = t.id
where t.ai_resolved
order by h.started_at desc nulls last, h.conversation_id
