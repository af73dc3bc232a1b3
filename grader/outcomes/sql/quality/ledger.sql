-- Causes by contact reason and queue. Each conversation stands for 1 / probability of them.

select kind, cause, reason, queue, count(*) as n, sum(weight) as volume,
       count(*) filter (unsolved) as n_unsolved, count(*) filter (resolution_known) as n_resolution_known,
       count(*) filter (matured) as n_matured, count(*) filter (came_back) as n_came_back,
       coalesce(sum(weight) filter (came_back), 0) as came_back_volume,
       sum(weight * (coalesce(own_minutes, 0) + coalesce(back_minutes, 0))) / 60 as hours,
       count(*) filter (own_minutes is null or back_minutes is null) as n_hours_unknown,
       list(conversation_id order by came_back desc, unsolved desc, flagged desc, started_at desc, conversation_id)[1:3]
           as examples
from followed
group by kind, cause, reason, queue
order by hours desc, volume desc, kind, cause, reason, queue
