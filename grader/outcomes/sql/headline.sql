-- Counts by queue, and over all queues, each as a whole and by layer of the sample. Rates are made from them in Python.

, verdicts as (
    select conversation_id,
           max(answer) filter (where rubric = 'resolution' and code = 'resolved') as resolved,
           coalesce(bool_or(flagged), false) as flagged,
           coalesce(bool_or(flagged and severity = 'critical'), false) as critical,
           coalesce(bool_or(unsupported), false) as unsupported,
           coalesce(bool_or(scale = 'defect' and answer <> 'cannot_assess'), false) as assessed,
           coalesce(bool_or(scale = 'defect' and answer <> 'cannot_assess' and severity = 'critical'), false)
               as critical_assessed,
           count(*) filter (where flagged) as n_findings
    from answered group by conversation_id
),
judgements as (
    select conversation_id, count(*) as n_judgements,
           count(*) filter (where state = 'judged') as n_judged,
           count(*) filter (where state = 'failed') as n_failed,
           count(*) filter (where state = 'pending') as n_pending,
           count(*) filter (where state = 'judged' and reused) as n_reused
    from item group by conversation_id
),
csat as (
    select conversation_id, arg_max(csat, coalesce(observed_at, timestamp '0001-01-01')) as csat
    from outcome where csat is not null group by conversation_id
)
select s.queue, grouping(s.queue) = 1 as overall, s.layer,
       count(*) as n_conversations,
       count(*) filter (where s.n_judged > 0) as n_judged_conversations,
       coalesce(sum(j.n_judgements), 0)::bigint as n_judgements,
       coalesce(sum(j.n_judged), 0)::bigint as n_judged,
       coalesce(sum(j.n_failed), 0)::bigint as n_failed,
       coalesce(sum(j.n_pending), 0)::bigint as n_pending,
       coalesce(sum(j.n_reused), 0)::bigint as n_reused,
       count(*) filter (where v.resolved = 'resolved') as n_resolved,
       count(*) filter (where v.resolved = 'partly') as n_partly,
       count(*) filter (where v.resolved = 'not') as n_not_resolved,
       count(*) filter (where v.resolved = 'unclear') as n_unclear,
       count(*) filter (where v.resolved = 'cannot_assess') as n_resolution_cannot_assess,
       count(*) filter (where v.resolved is null) as n_resolution_missing,
       count(*) filter (where not s.has_handoff) as n_contained,
       count(*) filter (where s.has_handoff) as n_handed_off,
       count(*) filter (where not s.has_handoff and v.resolved = 'resolved') as n_contained_resolved,
       count(*) filter (where not s.has_handoff and v.resolved = 'partly') as n_contained_partly,
       count(*) filter (where not s.has_handoff and v.resolved = 'not') as n_contained_not_resolved,
       count(*) filter (where not s.has_handoff and v.resolved = 'unclear') as n_contained_unclear,
       count(*) filter (where v.assessed) as n_assessed,
       count(*) filter (where v.flagged) as n_flagged,
       count(*) filter (where v.critical_assessed) as n_critical_assessed,
       count(*) filter (where v.critical) as n_critical,
       count(*) filter (where v.unsupported and not v.flagged) as n_unsupported_only,
       count(*) filter (where v.assessed and s.n_open > 0) as n_partly_judged,
       coalesce(sum(v.n_findings), 0)::bigint as n_findings,
       count(c.csat) as n_csat, coalesce(sum(c.csat), 0)::double as csat_sum,
       coalesce(sum(c.csat * c.csat), 0)::double as csat_squares,
       count(*) filter (where s.synthetic) as n_synthetic
from subject s
left join verdicts v using (conversation_id)
left join judgements j using (conversation_id)
left join csat c using (conversation_id)
group by grouping sets ((), (s.queue), (s.layer), (s.queue, s.layer))
having grouping(s.layer) = 1 or s.layer is not null
order by overall desc, n_conversations desc, s.queue
