-- The episodes behind a figure. {of}: the condition that says which count; {columns}: what else is told of each.

select last.conversation_id, first.conversation_id as began_with, t.started_at, t.queue, t.reason, t.channel, t.language,
       t.ai_version, t.week::varchar as week, back.conversation_id as came_back_in, t.next_at{columns}
from told t
join conversation last on last.rowid = t.id
join conversation first on first.rowid = t.first_id
left join conversation back on back.rowid = coalesce(t.same_issue_id, t.next_row) and t.came_back
where {of}
order by t.started_at desc nulls last, last.conversation_id
