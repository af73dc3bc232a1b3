-- The conversations of the ledger, each under its cause: of escalations, and of what was not solved. Minutes: of the humans in
-- its episode and in the one that came back about the same issue; where the source does not say them, what is usual for the
-- reason; else they are not known. Conversations of one episode that stand under a cause
-- of the same kind share its minutes.

with caused as (
    select 'escalation' as kind, escalation_reason as cause, n_with_escalation_cause as n_alike, * from told
    where with_escalation_cause
    union all by name
    select 'non_resolution' as kind, non_resolution_cause as cause, n_with_non_resolution_cause as n_alike, * from told
    where with_non_resolution_cause
)
select c.*, 1 / c.probability as weight,
       f.id is not null and not f.is_open and f.basis = 'seen'
           and f.clock_at <= h.data_end - to_hours({window_hours}) as matured,
       matured and coalesce(f.same_issue_at <= f.clock_at + to_hours({window_hours}), false) as came_back,
       case when not coalesce(f.handed_over, c.has_handoff) then 0
            else coalesce(f.handle_minutes, own.minutes) / n_alike end as own_minutes,
       case when not came_back or not b.handed_over then 0
            when b.id is not null then coalesce(b.handle_minutes, again.minutes) / n_alike end as back_minutes,
       case when came_back then f.same_issue_at end as back_at, case when came_back then f.same_issue_id end as back_id,
       case when came_back then f.same_issue_how end as back_how
from caused c
cross join horizon h
left join fact f on f.id = c.fact_id
left join fact b on b.first_id = f.same_issue_id
left join usual own on own.reason = c.reason
left join usual again on again.reason = b.reason
