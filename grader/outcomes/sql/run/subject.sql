-- One row a conversation, also where the conversation itself has gone from the database.

select i.conversation_id, c.queue, c.channel, c.language, c.contact_id, c.has_handoff, c.started_at, c.ended_at,
       try_cast(c.attributes ->> '$.synthetic' as boolean) as synthetic, i.n_judged, i.n_open,
       i.stratum, i.inclusion_probability,
       case when max(i.inclusion_probability) over () - min(i.inclusion_probability) over () >= 1e-9
            then dense_rank() over (order by i.stratum nulls first, i.inclusion_probability) end
           as layer      -- who had the same chance; NULL: all of the run had
from (select conversation_id, count(*) filter (where state = 'judged') as n_judged,
             count(distinct rubric) - count(distinct rubric) filter (where state = 'judged') as n_open,    -- a repeat is none
             min(stratum) as stratum, min(inclusion_probability) as inclusion_probability
      from item group by conversation_id) i
left join conversation c on c.conversation_id = i.conversation_id
