-- The conversations behind a line of the ledger. {kind}, {cause}: parameters.

select f.conversation_id, f.started_at, f.queue, f.reason, f.channel, f.language, f.ai_version, f.week::varchar as week,
       f.weight, f.matured, back.conversation_id as came_back_in, f.back_at as next_at, f.back_how as matched_by,
       f.own_minutes + f.back_minutes as minutes
from followed f
left join conversation back on back.rowid = f.back_id
where f.kind = {kind} and f.cause = {cause}
order by f.started_at desc nulls last, f.conversation_id
