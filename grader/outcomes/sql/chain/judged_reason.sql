-- The contact reason that was judged: of the text as it is now, by whichever conversation with that text was judged; first
-- what this run counts, then the conversation's own judgement, then the latest.

select c.rowid as id,
       arg_max(v.answer, (n.key is not null, j.conversation_id = c.conversation_id, j.judged_at, j.key)) as reason
from conversation c
join judgement j on j.content_hash = c.content_hash and j.rubric = 'resolution'
join verdict v on v.key = j.key and v.criterion = 'contact_reason' and v.answer <> 'cannot_assess'
left join counted n on n.key = j.key and n.conversation_id = c.conversation_id
group by c.rowid
