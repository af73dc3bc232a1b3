-- What the figures about recontact, capacity and AI versions need to know of a conversation.

alter table conversation add column state varchar;          -- open | closed; NULL: the source does not say
alter table conversation add column ai_version varchar;
alter table conversation add column initiated_by varchar;   -- customer | business, as the source says, else see store/inflow.py
alter table conversation add column excluded varchar;       -- spam | test | survey | outbound: no window, no recontact
alter table conversation add column truncated boolean default false;   -- the source had cut messages off

update conversation set initiated_by = (
    select case when count(*) filter (m.role = 'customer') = 0
                  or arg_min(m.sent_at, m.number) filter (m.role = 'customer') > arg_min_null(m.sent_at, m.number) + interval 1 hour
                then 'business' else 'customer' end
    from message as m
    where m.conversation_id = conversation.conversation_id and m.kind <> 'note' and m.role in ('customer', 'ai', 'human')
    having count(*) > 0
);

create table reference (conversation_id varchar not null, kind varchar not null, value varchar not null);   -- order, ticket

alter table outcome add column handle_minutes double;       -- that a human spent on it
