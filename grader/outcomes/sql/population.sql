-- Every conversation, judged or not. $1: the ids to be told about, NULL for all; returns are looked for among all.
-- What stands here has the names that sql/run has, so that the same steps can follow.

with subject as (
    select conversation_id, queue, contact_id, has_handoff, started_at
    from conversation
    where $1::varchar[] is null or conversation_id in (select unnest($1::varchar[]))
),
counted as (         -- no run's judgements come before others
    select null::varchar as conversation_id, null::varchar as key where false
)
