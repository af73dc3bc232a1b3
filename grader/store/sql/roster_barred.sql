-- The identities that join nobody, by how many contacts share them: see settle.sql for what is counted.
with beside as (
    select a.value, b.kind, count(distinct b.value) as n
    from shown as a join shown as b using (conversation_id)
    where b.value <> a.value and a.value in (select value from barred)
    group by all
),
seen as (
    select value, count(*) as conversations, min(conversation_id, 3) as examples
    from shown where value in (select value from barred) group by value
)
select b.kind, 'id_' || replace(b.value::varchar, '-', '') as value, max(n.n) as contacts, s.conversations, s.examples,
       b.barred_at
from barred as b join seen as s using (value) left join beside as n using (value)
group by b.kind, b.value, s.conversations, s.examples, b.barred_at
order by contacts desc, s.conversations desc, b.value;
