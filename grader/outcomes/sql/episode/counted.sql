-- No run's judgements come before others.

select null::varchar as conversation_id, null::varchar as key
where false
