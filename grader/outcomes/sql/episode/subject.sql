-- The conversations to be told about, judged or not; `id` is the row of `conversation`. {ids}: $1, or null for all. Returns are
-- looked for among all.

select rowid as id, contact_id
from conversation
where {ids}::varchar[] is null or conversation_id in (select unnest({ids}::varchar[]))
