-- Of each conversation of `subject`, whether it was escalated, came back, was rated 1 or 2. $2: the window in hours. What is
-- not known is no risk here: it only decides how often a conversation is drawn.

, rated as (
    select conversation_id, arg_max(csat, coalesce(observed_at, timestamp '0001-01-01')) as csat
    from outcome where csat is not null group by conversation_id
)
select r.conversation_id,
       coalesce(r.has_handoff, false) as escalated,
       coalesce(r.basis = 'clock' and r.next_at <= r.clock_at + to_hours($2::integer), false) as recontacted,
       coalesce(q.csat <= 2, false) as low_csat
from recontact r
left join rated q using (conversation_id)
