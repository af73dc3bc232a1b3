-- Recontact by window and queue, closed windows only. $3: the windows, in hours.

, resolved as (
    select conversation_id, answer from answered where rubric = 'resolution' and code = 'resolved'
),
windowed as (
    select r.*, w.window_hours, v.answer as resolved,
           r.clock_at <= r.data_end - to_hours(w.window_hours) as matured,
           coalesce(r.next_at <= r.clock_at + to_hours(w.window_hours), false) as came_back,
           coalesce(r.same_issue_at <= r.clock_at + to_hours(w.window_hours), false) as same_issue
    from recontact r
    cross join (select unnest($3::integer[]) as window_hours) w
    left join resolved v using (conversation_id)
)
select queue, grouping(queue) = 1 as overall, window_hours,
       count(*) filter (where basis = 'clock' and matured) as n_matured,
       count(*) filter (where basis = 'clock' and matured and came_back) as n_came_back,
       count(*) filter (where basis = 'clock' and matured and same_issue) as n_same_issue,
       count(*) filter (where basis = 'clock' and matured and came_back and not same_issue and not issue_known)
           as n_issue_unknown,
       count(*) filter (where basis = 'clock' and matured and resolved = 'resolved') as n_resolved_matured,
       count(*) filter (where basis = 'clock' and matured and resolved = 'resolved' and same_issue)
           as n_resolved_same_issue,
       count(*) filter (where basis = 'clock' and not matured) as n_not_yet_known,
       count(*) filter (where basis = 'continued') as n_continued,
       count(*) filter (where basis = 'no_identity') as n_no_identity,
       count(*) filter (where basis = 'no_time') as n_no_time,
       max(data_end) as data_end
from windowed
group by grouping sets ((window_hours), (window_hours, queue))
order by overall desc, queue, window_hours
