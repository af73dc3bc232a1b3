-- What one contact's conversations make that follow each other within the gap. Its clock starts at its last message.

select person, episode, min(started_at) as started_at, max(ended_at) as clock_at,
       arg_min(id, place) as first_id, arg_max(id, place) as last_id,
       arg_min(came, place) as came, arg_max(is_open, place) as is_open,
       bool_or(has_handoff) as handed_over, bool_or(has_ai) as has_ai,
       arg_min(asked_at, place) as asked_at, min(answered_at) as answered_at
from numbered
group by person, episode
