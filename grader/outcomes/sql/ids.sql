-- The conversations of the run, oldest first.

select conversation_id from subject order by started_at nulls last, conversation_id
