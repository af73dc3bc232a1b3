-- What the figures about recontact, capacity and AI versions need to know of a conversation. The table is made anew: DuckDB 1.5
-- refuses to commit where one transaction alters a table that has rows twice.

create table conversation_next (
    conversation_id varchar not null,
    content_hash varchar not null,
    record_hash varchar not null,
    channel varchar, queue varchar, language varchar, reason varchar,
    contact_id varchar,
    started_at timestamp, started_offset_minutes integer, ended_at timestamp,
    n_messages integer not null, n_chars bigint not null,
    tools_recorded boolean, has_tools boolean not null, has_human boolean not null, has_handoff boolean not null,
    attributes json, as_given json not null,
    source_file varchar, source_line bigint, ingest_id varchar,
    state varchar,                          -- open | closed; NULL: the source does not say
    ai_version varchar,
    initiated_by varchar,                   -- customer | business, as the source says, else see store/inflow.py
    excluded varchar,                       -- spam | test | survey | outbound: no window, no recontact
    truncated boolean default false,        -- the source had cut messages off
    has_ai boolean default false,           -- an AI spoke; NULL in no row
    asked_at timestamp,                     -- the customer's first message
    answered_at timestamp                   -- the first one of the AI or a human after it
);

insert into conversation_next by name
with told as (
    select conversation_id, bool_or(role = 'ai') as has_ai,
           arg_min_null(sent_at, number) filter (role = 'customer') as asked_at,
           case when count(*) filter (role = 'customer') = 0
                  or arg_min_null(sent_at, number) filter (role = 'customer') > arg_min_null(sent_at, number) + interval 1 hour
                then 'business' else 'customer' end as initiated_by
    from message where kind <> 'note' and role in ('customer', 'ai', 'human')
    group by conversation_id
),
answer as (
    select m.conversation_id, arg_min(m.sent_at, m.number) as answered_at
    from message as m
    join (select conversation_id, min(number) as number from message where role = 'customer' and kind <> 'note'
          group by conversation_id) as asked using (conversation_id)
    where m.kind <> 'note' and m.role in ('ai', 'human') and m.number > asked.number
    group by m.conversation_id
)
select c.*, false as truncated, coalesce(told.has_ai, false) as has_ai, told.initiated_by, told.asked_at,
       answer.answered_at
from conversation as c
left join told on told.conversation_id = c.conversation_id
left join answer on answer.conversation_id = c.conversation_id
order by c.rowid;

drop table conversation;
alter table conversation_next rename to conversation;

create table reference (conversation_id varchar not null, kind varchar not null, value varchar not null);   -- order, ticket

alter table outcome add column handle_minutes double;       -- that a human spent on it
