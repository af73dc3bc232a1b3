-- Recontact by window and queue, each as a whole and by layer, closed windows only. $2: the windows, in hours.

, resolved as (
    select conversation_id, answer from answered where rubric = 'resolution' and code = 'resolved'
),
windowed as (
    select r.*, s.layer, w.window_hours, coalesce(v.answer = 'resolved', false) as resolved,
           r.clock_at + to_hours(w.window_hours) as until,
           r.clock_at <= r.data_end - to_hours(w.window_hours) as closed
    from recontact r
    join subject s using (conversation_id)
    cross join (select unnest($2::integer[]) as window_hours) w
    left join resolved v using (conversation_id)
),
told as (
    select *, basis = 'clock' and closed as matured, coalesce(next_at <= until, false) as came_back,
           case when same_issue_at <= until then 'same'      -- known once any return within the window is the same
                when unknown_issue_at <= until then 'unknown'
                when next_at <= until then 'other' end as issue
    from windowed
)
select queue, grouping(queue) = 1 as overall, window_hours, layer,
       count(*) filter (where matured) as n_matured,
       count(*) filter (where matured and came_back) as n_came_back,
       count(*) filter (where matured and issue = 'same') as n_same_issue,
       count(*) filter (where matured and issue = 'unknown') as n_issue_unknown,
       count(*) filter (where matured and resolved) as n_resolved_matured,
       count(*) filter (where matured and resolved and came_back) as n_resolved_came_back,
       count(*) filter (where matured and resolved and issue = 'same') as n_resolved_same_issue,
       count(*) filter (where matured and resolved and issue = 'unknown') as n_resolved_issue_unknown,
       count(*) filter (where basis = 'clock' and not closed) as n_not_yet_known,
       count(*) filter (where basis = 'continued') as n_continued,
       count(*) filter (where basis = 'no_identity') as n_no_identity,
       count(*) filter (where basis = 'no_time') as n_no_time,
       count(*) filter (where basis = 'excluded') as n_excluded,
       count(*) filter (where basis = 'not_customer') as n_not_customer,
       count(*) filter (where basis = 'open') as n_open,
       max(data_end) as data_end
from told
group by grouping sets ((window_hours), (window_hours, queue), (window_hours, layer), (window_hours, queue, layer))
having grouping(layer) = 1 or layer is not null
order by overall desc, queue, window_hours
