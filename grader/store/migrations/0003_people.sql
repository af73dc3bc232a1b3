-- Identities as keyed hashes, what they join, and what became of contacts. The plain ones that an older Grader stored
-- are replaced when the key is at hand: see store/sealing.py.

drop table contact;
drop table identity;

-- What joins a conversation to others. `value` is the first half of HMAC-SHA256 over kind and normalised value.
create table shown (conversation_id varchar not null, kind varchar not null, value uuid not null);

-- What came in and has not been given its contact: see store/sql/settle.sql. Empty between two commands.
create table unsettled (
    conversation_id varchar not null, kind varchar not null, value uuid not null,
    gone boolean not null,                  -- no longer shown by the conversation
    fresh boolean not null                  -- the conversation is new, it has had no contact before
);

create table barred (kind varchar not null, value uuid not null, barred_at timestamp not null);     -- joins nobody

create table contact_change (
    changed_at timestamp not null,
    change varchar not null,                -- merged | split | renamed | ended
    contact_id varchar not null,            -- as it was
    new_contact_id varchar,                 -- NULL: its conversations have no identity any more
    kind varchar, value uuid,               -- that made it: shown by both, or taken away, or barred, or the new name
    conversation_id varchar                 -- that shows, or showed it
);

-- The conversations whose identities are still in plain text.
create table plain as
select conversation_id from conversation where json_array_length(as_given, '$.contact.identities') > 0;

-- One row, from the first identity on.
create table people (
    key_fingerprint varchar not null, barred_above integer not null,
    scrubbed boolean not null               -- the file holds no page from before identities were hashed
);
