-- One row an episode that the customer began, and one a conversation of which nobody can tell whose it is or when it was.
-- An episode stands under its last conversation (`id`); what it was about and where it came in are those of its first.

with whole as (
    select person, episode, first_id, last_id as id, started_at, clock_at, handed_over, has_ai, is_open, asked_at,
           answered_at, next_at, next_id, 'seen' as basis
    from ranked
    where {everything} or last_id in (select id from subject)
    union all by name
    select rowid as first_id, rowid as id, started_at, coalesce(ended_at, started_at) as clock_at,
           has_handoff as handed_over, coalesce(has_ai, false) as has_ai, coalesce(state = 'open', false) as is_open,
           asked_at, answered_at, case when contact_id is null then 'no_identity' else 'no_time' end as basis
    from conversation
    where (contact_id is null or started_at is null) and excluded is null and initiated_by = 'customer'
        and ({everything} or rowid in (select id from subject))
)
select w.id, w.first_id, w.basis, w.started_at, w.clock_at, w.handed_over, not w.handed_over and w.has_ai as by_ai, w.is_open,
       w.next_at, w.next_id as next_row, r.same_issue_at, r.unknown_issue_at, r.same_issue_id, r.same_issue_how,
       r.judged_issue_at,
       q.csat, q.handle_minutes, w.asked_at,
       try_cast(date_diff('second', w.asked_at, w.answered_at) as integer) as first_answer_seconds,
       try_cast(coalesce(q.resolution_minutes * 60, date_diff('second', w.started_at, w.clock_at)) as integer) as seconds,
       date_trunc('week', (w.started_at at time zone 'UTC') at time zone {timezone})::date as week,
       f.queue, f.channel, f.language, coalesce(v.ai_version, f.ai_version) as ai_version,
       coalesce(j.reason, nullif(trim(f.reason), '')) as reason
from whole w
join conversation f on f.rowid = w.first_id
left join returned r on r.first_id = w.first_id
left join rated q on q.id = w.id
left join versioned v on v.person = w.person and v.episode = w.episode
left join judged_reason j on j.id = w.first_id
