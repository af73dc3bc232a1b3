-- What the contacts that new conversations belong to show, in the order in which it came in: old conversations, then the new.
-- Only where a merge can be: two contacts and a conversation that joins them.
with possible as (
    select s.new
    from settled as s join edge as e using (conversation_id)
    group by s.new
    having bool_or(s.fresh) and count(distinct s.conversation_id) > 2 and count(distinct e.value) > 1
)
select s.new, s.old, s.fresh, s.conversation_id, list(replace(e.value::varchar, '-', '') order by e.value)
from settled as s join edge as e using (conversation_id)
where s.new in (from possible)
group by s.new, s.old, s.fresh, s.conversation_id, s.position
order by s.new, s.fresh, s.position;
