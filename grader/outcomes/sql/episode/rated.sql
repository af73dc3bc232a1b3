-- What outcomes say of an episode, from all of its conversations: the latest rating (where no time is
-- given, that of the latest conversation), the minutes of all humans.

select coalesce(e.last_id, c.rowid) as id,
       arg_max(o.csat, (coalesce(o.observed_at, timestamp '0001-01-01'), coalesce(n.place, 1))) as csat,
       sum(o.handle_minutes) as handle_minutes, max(o.resolution_minutes) as resolution_minutes
from outcome o
join conversation c on c.conversation_id = o.conversation_id
left join numbered n on n.id = c.rowid
left join episode e on e.person = n.person and e.episode = n.episode
group by coalesce(e.last_id, c.rowid)
