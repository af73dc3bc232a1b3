-- For each conversation of `subject`: does the same contact come back, when, and about the same issue? `basis` is clock where
-- the clock of an episode starts at this conversation, else why it does not.

select s.conversation_id, s.queue, s.has_handoff, p.clock_at, e.next_at, next.conversation_id as next_id,
       r.same_issue_at, same.conversation_id as same_issue_id, r.same_issue_how, r.unknown_issue_at,
       case when s.contact_id is null then 'no_identity'
            when s.started_at is null then 'no_time'
            when n.id is null then 'excluded'
            when n.id <> p.last_id then 'continued'
            when not p.came then 'not_customer'
            when p.is_open then 'open'
            else 'clock' end as basis,
       (select max(greatest(started_at, ended_at)) from conversation) as data_end
from subject s
left join conversation c on c.conversation_id = s.conversation_id
left join numbered n on n.id = c.rowid
left join episode p on p.person = n.person and p.episode = n.episode
left join ranked e on e.first_id = p.first_id
left join returned r on r.first_id = p.first_id
left join conversation next on next.rowid = e.next_id
left join conversation same on same.rowid = r.same_issue_id
