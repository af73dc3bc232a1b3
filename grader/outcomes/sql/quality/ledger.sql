-- Causes by contact reason and queue: of escalations ({kind} = 'escalation') and of what was not solved. Each conversation
-- stands for 1 / probability of them. Minutes: of the humans in its episode and in the one that came back about the same issue;
-- where the source does not say them, what is usual for the reason; else they are not known.

with caused as (
    select 'escalation' as kind, escalation_reason as cause, * from told
    where has_handoff and escalation_reason not in ('none', 'cannot_assess', 'not_applicable')
    union all by name
    select 'non_resolution' as kind, non_resolution_cause as cause, * from told
    where unsolved and non_resolution_cause not in ('none', 'cannot_assess', 'not_applicable')
),
followed as (
    select c.*, 1 / c.probability as weight, f.id is not null and not f.is_open and f.basis = 'seen'
               and f.clock_at <= h.data_end - to_hours({window_hours}) as matured,
           matured and coalesce(f.same_issue_at <= f.clock_at + to_hours({window_hours}), false) as came_back,
           case when not coalesce(f.handed_over, c.has_handoff) then 0
                else coalesce(f.handle_minutes, own.minutes) end as minutes,
           case when not came_back or not b.handed_over then 0
                when b.id is null then null
                else coalesce(b.handle_minutes, back.minutes) end as minutes_back
    from caused c
    cross join horizon h
    left join fact f on f.id = c.fact_id
    left join fact b on b.first_id = f.same_issue_id
    left join usual own on own.reason = c.reason
    left join usual back on back.reason = b.reason
)
select kind, cause, reason, queue, count(*) as n, sum(weight) as volume,
       count(*) filter (unsolved) as n_unsolved, count(*) filter (resolution_known) as n_resolution_known,
       count(*) filter (matured) as n_matured, count(*) filter (came_back) as n_came_back,
       coalesce(sum(weight) filter (came_back), 0) as came_back_volume,
       coalesce(sum(weight * (coalesce(minutes, 0) + coalesce(minutes_back, 0))), 0) / 60 as hours,
       count(*) filter (minutes is null or minutes_back is null) as n_hours_unknown,
       list(conversation_id order by came_back desc, unsolved desc, flagged desc, started_at desc, conversation_id)[1:3]
           as examples
from followed
group by kind, cause, reason, queue
order by hours desc, volume desc, kind, cause, reason, queue
