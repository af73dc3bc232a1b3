-- What each episode counts as, for one window of {window_hours} hours: a figure is one of these columns of another.

select *,
       not is_open as closed,
       not is_open and not handed_over as contained,
       not is_open and by_ai as ai_contained,
       not is_open and handed_over as escalated,
       basis = 'seen' and not is_open as visible,               -- a return could be seen
       visible and clock_at <= data_end - to_hours({window_hours}) as matured,
       visible and clock_at > data_end - to_hours({window_hours}) as not_yet_known,
       matured and coalesce(next_at <= clock_at + to_hours({window_hours}), false) as came_back,
       matured and coalesce(same_issue_at <= clock_at + to_hours({window_hours}), false) as same_issue,
       matured and not same_issue and coalesce(unknown_issue_at <= clock_at + to_hours({window_hours}), false)
           as issue_unknown,
       came_back and coalesce(case when same_issue then same_issue_how = 'reason'
                                   else judged_issue_at <= clock_at + to_hours({window_hours}) end, false) as issue_judged,
       case when basis <> 'seen' then basis when is_open then 'open' when not matured then 'open_window'
            when came_back then 'recontacted' else 'no_recontact' end as status,
       case when same_issue then same_issue_how end as matched_by,
       matured and by_ai as ai_matured,
       came_back and by_ai as ai_came_back,
       same_issue and by_ai as ai_same_issue,
       issue_unknown and by_ai as ai_issue_unknown,
       issue_judged and by_ai as ai_issue_judged,
       ai_matured and not same_issue and not issue_unknown as ai_resolved,
       matured and handed_over as human_matured,
       came_back and handed_over as human_came_back,
       same_issue and handed_over as human_same_issue,
       issue_unknown and handed_over as human_issue_unknown,
       not handed_over as without_human,
       csat is not null and not handed_over as rated_ai,
       csat is not null and handed_over as rated_human,
       asked_at is not null as asked,
       coalesce(first_answer_seconds >= 0, false) as answered,
       not is_open and coalesce(seconds >= 0, false) as timed,
       handle_minutes is not null and handed_over as handled
from fact, horizon
