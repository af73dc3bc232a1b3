-- What the figures about recontact, capacity and AI versions need to know of a conversation.

alter table conversation add column state varchar;          -- open | closed; NULL: the source does not say
alter table conversation add column ai_version varchar;
alter table conversation add column initiated_by varchar;   -- customer | business, as the source says, else see store/inflow.py
alter table conversation add column excluded varchar;       -- spam | test | survey | outbound: no window, no recontact
alter table conversation add column truncated boolean default false;   -- the source had cut messages off

alter table conversation add column has_ai boolean default false;      -- an AI spoke; NULL in no row
alter table conversation add column asked_at timestamp;     -- the customer's first message
alter table conversation add column answered_at timestamp;  -- the first one of the AI or a human after it

update conversation set has_ai = told.has_ai, initiated_by = told.initiated_by, asked_at = told.asked_at
from (
    select conversation_id, bool_or(role = 'ai') as has_ai,
           arg_min_null(sent_at, number) filter (role = 'customer') as asked_at,
           case when count(*) filter (role = 'customer') = 0
                  or arg_min_null(sent_at, number) filter (role = 'customer') > arg_min_null(sent_at, number) + interval 1 hour
                then 'business' else 'customer' end as initiated_by
    from message where kind <> 'note' and role in ('customer', 'ai', 'human')
    group by conversation_id
) as told
where told.conversation_id = conversation.conversation_id;

update conversation set answered_at = told.answered_at
from (
    select m.conversation_id, arg_min(m.sent_at, m.number) as answered_at
    from message as m
    join (select conversation_id, min(number) as number from message where role = 'customer' and kind <> 'note'
          group by conversation_id) as asked using (conversation_id)
    where m.kind <> 'note' and m.role in ('ai', 'human') and m.number > asked.number
    group by m.conversation_id
) as told
where told.conversation_id = conversation.conversation_id;

create table reference (conversation_id varchar not null, kind varchar not null, value varchar not null);   -- order, ticket

alter table outcome add column handle_minutes double;       -- that a human spent on it
