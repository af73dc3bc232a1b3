-- Each in its place among the contact's own, and whether it opens an episode: what follows within {gap_minutes} minutes of all
-- before it is the same one going on, such as a split or a hand-off to another helpdesk.

select * exclude (conversation_id), row_number() over theirs as place,
       coalesce(started_at > max(ended_at) over before + to_minutes({gap_minutes}), true) as opens
from talk
window theirs as (partition by person order by started_at, conversation_id),
       before as (partition by person order by started_at, conversation_id rows between unbounded preceding and 1 preceding)
