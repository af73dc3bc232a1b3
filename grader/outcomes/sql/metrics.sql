-- Figures of episodes, over all and by each dimension asked for. $3: the window in hours; $4: the zone of weeks.
-- {grouping_sets}: such as (), (week), (queue).
-- An episode stands under its last conversation; what it was about and where it came in are those of its first.

, part as (                -- each conversation with the one that its episode stands under
    select s.conversation_id, coalesce(p.last_id, s.conversation_id) as stands_under,
           coalesce(p.first_id, s.conversation_id) as came_in
    from subject s
    left join numbered n using (conversation_id)
    left join episode p on p.contact_id = n.contact_id and p.episode = n.episode
),
rated as (
    select part.stands_under as conversation_id, arg_max(o.csat, coalesce(o.observed_at, timestamp '0001-01-01')) as csat,
           sum(o.handle_minutes) as handle_minutes
    from part join outcome o using (conversation_id) group by part.stands_under
),
whole as (
    select part.stands_under as conversation_id, bool_or(c.has_handoff) as handed_over, bool_or(c.has_ai) as has_ai,
           min(c.started_at) as started_at, max(coalesce(c.ended_at, c.started_at)) as ended_at,
           arg_min(c.ai_version, c.started_at) filter (c.ai_version is not null) as ai_version,
           any_value(part.came_in) as came_in
    from part
    join conversation c using (conversation_id)
    group by part.stands_under
),
fact as (
    select r.conversation_id, r.basis, w.handed_over, w.started_at, not w.handed_over and w.has_ai as by_ai,
           last.state = 'open' as is_open,
           r.basis = 'clock' and r.clock_at <= r.data_end - to_hours($3::integer) as matured,
           r.basis = 'clock' and r.clock_at > r.data_end - to_hours($3::integer) as not_yet,
           coalesce(r.next_at <= r.clock_at + to_hours($3::integer), false) as came_back,
           case when r.same_issue_at <= r.clock_at + to_hours($3::integer) then 'same'
                when r.unknown_issue_at <= r.clock_at + to_hours($3::integer) then 'unknown'
                when r.next_at <= r.clock_at + to_hours($3::integer) then 'other' end as issue,
           q.csat, q.handle_minutes,
           try_cast(date_diff('second', first.asked_at, first.answered_at) as integer) as first_answer_seconds,
           first.asked_at is not null as was_asked,
           try_cast(date_diff('second', w.started_at, w.ended_at) as integer) as seconds,
           strftime(date_trunc('week', (w.started_at at time zone 'UTC') at time zone $4::varchar), '%Y-%m-%d') as week,
           first.queue, first.channel, first.language, w.ai_version,
           coalesce(j.reason, nullif(trim(first.reason), '')) as reason
    from recontact r
    join whole w using (conversation_id)
    join conversation first on first.conversation_id = w.came_in
    join conversation last on last.conversation_id = r.conversation_id
    left join judged_reason j on j.conversation_id = w.came_in
    left join rated q on q.conversation_id = r.conversation_id
    where r.basis in ('clock', 'open', 'no_identity', 'no_time') and first.initiated_by = 'customer'
        and first.excluded is null
)
select {slices},
       count(*) as n_episodes,
       count(*) filter (coalesce(is_open, false)) as n_open,
       count(*) filter (not coalesce(is_open, false)) as n_closed,
       count(*) filter (not coalesce(is_open, false) and not handed_over) as n_contained,
       count(*) filter (not coalesce(is_open, false) and by_ai) as n_by_ai,
       count(*) filter (basis = 'no_identity') as n_no_identity,
       count(*) filter (basis = 'no_time') as n_no_time,
       count(*) filter (not_yet) as n_not_yet_known,
       count(*) filter (matured) as n_matured,
       count(*) filter (matured and came_back) as n_came_back,
       count(*) filter (matured and issue = 'same') as n_same_issue,
       count(*) filter (matured and issue = 'unknown') as n_issue_unknown,
       count(*) filter (matured and by_ai) as n_ai_matured,
       count(*) filter (matured and by_ai and came_back) as n_ai_came_back,
       count(*) filter (matured and by_ai and issue = 'same') as n_ai_same_issue,
       count(*) filter (matured and by_ai and issue = 'unknown') as n_ai_issue_unknown,
       count(*) filter (not handed_over and csat is not null) as n_csat_ai,
       coalesce(sum(csat) filter (not handed_over), 0)::double as csat_ai_sum,
       count(*) filter (handed_over) as n_handed_over,
       count(*) filter (handed_over and csat is not null) as n_csat_human,
       coalesce(sum(csat) filter (handed_over), 0)::double as csat_human_sum,
       count(*) filter (was_asked) as n_asked,
       count(*) filter (first_answer_seconds >= 0) as n_answered,
       -- one state for both points: it holds every value, in every grouping
       quantile_cont(first_answer_seconds, [0.5, 0.9]) filter (first_answer_seconds >= 0) as first_answer,
       quantile_cont(seconds, [0.5, 0.9]) filter (not coalesce(is_open, false) and seconds >= 0) as lasted,
       count(*) filter (not coalesce(is_open, false) and seconds >= 0) as n_timed,
       count(handle_minutes) filter (handed_over) as n_handled,
       median(handle_minutes) filter (handed_over)::double as handle_median,
       (select max(data_end) from recontact) as data_end
from fact
group by grouping sets ({grouping_sets})
order by slice nulls last
