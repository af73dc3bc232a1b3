-- Which contact each conversation belongs to, after what came in since the last time (`unsettled`). The result is that of
-- a computation over everything, whatever came in when: an identity is barred by what is shown beside it, a contact is a
-- connected component over the identities that are not barred, and is called after the smallest of them.
-- Works on what was touched, and on the contacts that this could join or part. `settling` has one row of parameters.

create or replace temp table touched as
select value, any_value(kind) as kind,
       bool_or(conversation_id in (select conversation_id from unsettled where gone)) as fewer
from unsettled group by value;

-- How many contacts share an identity: the most different identities of one kind that are shown beside it, since one
-- person has one of a kind. More conversations never make it fewer, so a barred one is counted again only if one of its
-- conversations shows less than before (itself, or what stood beside it).
create or replace temp table shared as
select value
from (
    select a.value, b.kind, count(distinct b.value) as n
    from shown as a join shown as b using (conversation_id)
    where b.value <> a.value
      and a.value in (
          select value from touched
          where fewer or (select recount from settling) or value not in (select value from barred)
      )
    group by all
)
group by value having max(n) > (select barred_above from settling);

create or replace temp table newly_barred as
select value, kind from touched
where value in (select value from shared) and value not in (select value from barred);

create or replace temp table freed as
select value from touched
where (fewer or (select recount from settling)) and value in (select value from barred)
  and value not in (select value from shared);

create or replace temp table joining_nobody as
(select value from barred except select value from freed) union select value from newly_barred;

-- The conversations whose contact may change: those that show something touched that joins or did join, and everybody in
-- one contact with them.
create or replace temp table seed as
select conversation_id from unsettled
union
select conversation_id from shown
where value in (
    select value from touched
    where value not in (select value from joining_nobody) or value in (select value from newly_barred)
);

-- A contact of a conversation that is new is only a guess: nobody has seen it.
create or replace temp table affected as
select conversation_id, case when not fresh then contact_id end as old, fresh, position
from (
    select conversation_id, contact_id, rowid as position,
           conversation_id in (select conversation_id from unsettled where unsettled.fresh) as fresh
    from conversation
)
where conversation_id in (from seed)
   or contact_id in (select contact_id from conversation where conversation_id in (from seed));

create or replace temp table edge as
select conversation_id, value from shown
where conversation_id in (select conversation_id from affected) and value not in (from joining_nobody);

create or replace temp table label as select distinct value, value as label from edge;
