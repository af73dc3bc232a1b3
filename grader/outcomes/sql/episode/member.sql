-- Which episode each conversation that was judged belongs to, as the row of `conversation` that it stands under.

select c.rowid as id, coalesce(e.last_id, c.rowid) as fact_id
from (select distinct conversation_id from run_item) i
join conversation c on c.conversation_id = i.conversation_id
left join numbered n on n.id = c.rowid
left join episode e on e.person = n.person and e.episode = n.episode
