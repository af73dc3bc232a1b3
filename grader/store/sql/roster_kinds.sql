-- Identities by kind, as the conversations show them: how many different ones, in how many conversations, how many are
-- barred, and how often a field of that kind said nothing that identifies anybody.
with given as (
    select conversation_id, i.kind, i.value
    from (
        select conversation_id,
               unnest(from_json(as_given -> '$.contact.identities', '[{"kind": "varchar", "value": "varchar"}]')) as i
        from conversation
    )
)
select kind, count(distinct value) filter (value like 'id_%') as identities,
       count(distinct conversation_id) filter (value like 'id_%') as conversations,
       (select count(*) from barred where barred.kind = given.kind) as barred,
       count(distinct conversation_id) filter (value like 'no_%') as says_nothing
from given group by kind order by conversations desc, kind;
