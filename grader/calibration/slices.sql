-- Of each conversation, what figures are sliced by. $1: time zone of weeks; $2: conversations.
select conversation_id, queue, reason, channel, language,
       date_trunc('week', (started_at at time zone 'UTC') at time zone $1)::date::varchar as week, started_at
from conversation
where conversation_id in (select unnest($2))
