-- The customer's words at the head of each episode of whose pair nothing else is known.

select c.rowid as first_id,
       list_distinct(flatten(list(regexp_extract_all(lower(strip_accents(m.text)), '[\p{L}\p{N}]{3,}')))) as words
from (select first_id as id from matched where how is null union select back_id from matched where how is null) w
join conversation c on c.rowid = w.id
join message m on m.conversation_id = c.conversation_id and m.role = 'customer' and m.kind in ('text', 'voice')
group by c.rowid
