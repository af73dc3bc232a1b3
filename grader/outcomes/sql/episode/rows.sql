-- The episodes behind a figure. {of}: the condition that says which count; {columns}: what else is told of each. The return that
-- is named is the one about the same issue within the window, else the next one within it.

select last.conversation_id, first.conversation_id as began_with, t.started_at, t.queue, t.reason, t.channel, t.language,
       t.ai_version, t.week::varchar as week, back.conversation_id as came_back_in,
       case when t.same_issue then t.same_issue_at when t.came_back then t.next_at end as next_at{columns}
from told t
join conversation last on last.rowid = t.id
join conversation first on first.rowid = t.first_id
left join conversation back on back.rowid = case when t.same_issue then t.same_issue_id when t.came_back then t.next_row end
where {of}
order by t.started_at desc nulls last, last.conversation_id
