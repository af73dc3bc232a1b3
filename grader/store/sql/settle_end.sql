-- The contacts by their labels, written where they differ, and what became of the old ones.

create or replace temp table settled as
select a.conversation_id, a.old, a.fresh, a.position, 'ct_' || replace(l.label::varchar, '-', '') as new
from affected as a
left join (
    select conversation_id, min(label) as label from edge join label using (value) group by conversation_id
) as l using (conversation_id);

update conversation set contact_id = s.new
from settled as s
where conversation.conversation_id = s.conversation_id and conversation.contact_id is distinct from s.new;

insert into contact_change
with pair as (
    select distinct old, new from settled where old is not null
),
counted as (
    select old, new, count(*) over (partition by old) as n_new,
           case when new is null then 1 else count(*) over (partition by new) end as n_old
    from pair
),
bridge as (             -- an identity that an old contact shows, and somebody of the new one who was not in it
    select s.old, s.new, min(e.value) as value
    from settled as s
    join counted as c on c.old = s.old and c.new = s.new and c.n_old > 1
    join edge as e using (conversation_id)
    join edge as f on f.value = e.value
    join settled as t on t.conversation_id = f.conversation_id and t.old is distinct from s.old
    group by all
),
bridged as (
    select b.old, b.new, b.value, min(t.conversation_id) as conversation_id
    from bridge as b
    join edge as f using (value)
    join settled as t on t.conversation_id = f.conversation_id and t.old is distinct from b.old
    group by all
),
lost as (               -- an identity that was barred, else one that was taken away
    select old, arg_min(value, (rank, value)) as value, arg_min(kind, (rank, value)) as kind,
           arg_min(conversation_id, (rank, value, conversation_id)) as conversation_id
    from (
        select s.old, v.value, n.kind, s.conversation_id, 1 as rank
        from settled as s join shown as v using (conversation_id) join newly_barred as n on n.value = v.value
        union all
        select s.old, u.value, u.kind, s.conversation_id, 2
        from settled as s join unsettled as u using (conversation_id) where u.gone
    )
    where old is not null
    group by old
)
select p.settled_at, 'split', c.old, c.new, l.kind, l.value, l.conversation_id
from settling as p, counted as c left join lost as l using (old)
where c.n_new > 1 and c.old is distinct from c.new
union all
select p.settled_at, 'merged', c.old, c.new, k.kind, b.value, b.conversation_id
from settling as p, counted as c
left join bridged as b on b.old = c.old and b.new = c.new
left join (select distinct value, kind from shown where value in (select value from bridge)) as k on k.value = b.value
where c.n_old > 1 and c.old <> c.new
union all
select p.settled_at, 'ended', c.old, null, l.kind, l.value, l.conversation_id
from settling as p, counted as c left join lost as l using (old)
where c.n_new = 1 and c.new is null
union all
select p.settled_at, 'renamed', c.old, c.new, any_value(v.kind), v.value, min(v.conversation_id)
from settling as p, counted as c
join settled as s on s.new = c.new
join shown as v on v.conversation_id = s.conversation_id and 'ct_' || replace(v.value::varchar, '-', '') = c.new
where c.n_new = 1 and c.n_old = 1 and c.old <> c.new
group by all
order by all;

delete from barred where value in (from freed);
insert into barred select kind, value, (select settled_at from settling) from newly_barred;
update people set barred_above = (select barred_above from settling);
