-- Every conversation of these contacts that is one: with a time, and no spam, test, survey or outbound message. `id` is the
-- row of `conversation`.

select c.rowid as id, p.person, c.conversation_id, c.started_at, coalesce(c.ended_at, c.started_at) as ended_at,
       coalesce(c.initiated_by = 'customer', false) as came, coalesce(c.state = 'open', false) as is_open,
       c.has_handoff, coalesce(c.has_ai, false) as has_ai, c.asked_at, c.answered_at
from conversation c
join person p on p.contact_id = c.contact_id
where c.started_at is not null and c.excluded is null
