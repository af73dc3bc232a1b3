-- One row a conversation of the runs that were chosen that was judged at all, with how it was drawn and the episode that it
-- belongs to.

select i.run_id, i.stratum, i.probability, c.conversation_id, c.rowid as id, m.fact_id, chosen.week, c.started_at,
       c.queue, c.channel, c.language, c.ai_version, nullif(trim(c.reason), '') as source_reason, c.has_handoff,
       c.has_ai and not c.has_handoff as by_ai, i.n_missing
from (select r.run_id, r.conversation_id, min(r.inclusion_probability) as probability, min(r.stratum) as stratum,
             count(distinct r.rubric) - count(distinct r.rubric) filter (j.key is not null) as n_missing
      from run_item r
      left join judgement j on j.key = r.key
      where r.run_id in (select run_id from chosen)
      group by r.run_id, r.conversation_id
      having count(j.key) > 0) i
join conversation c on c.conversation_id = i.conversation_id
join chosen on chosen.run_id = i.run_id
    and chosen.week is not distinct from date_trunc('week', (c.started_at at time zone 'UTC') at time zone {timezone})::date
left join member m on m.id = c.rowid
