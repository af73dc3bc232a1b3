-- Why humans took over, by stratum: of the hand-offs whose reason the judge named, each reason.

with named as (
    select run_id, stratum, probability, escalation_reason
    from told
    where has_handoff and escalation_reason is not null and escalation_reason <> 'cannot_assess'
),
every as (
    select option, n.run_id, n.stratum, n.probability
    from (select distinct run_id, stratum, probability from named) n, (select distinct escalation_reason as option from named)
)
select e.option, e.run_id, e.stratum, e.probability,
       count(*) as option_of, count(*) filter (n.escalation_reason = e.option) as option_n
from every e
join named n on n.run_id = e.run_id and n.stratum is not distinct from e.stratum and n.probability = e.probability
group by all
order by e.option, e.run_id, e.stratum nulls first, e.probability
