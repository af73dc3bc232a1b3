-- The whole of Grader's memory. Times are UTC (TIMESTAMP without zone); the offset that the source gave stands beside them.
-- Unknown is NULL. Big tables carry no primary key: DuckDB keeps such an index in memory, and there is one writer, which
-- leaves out what is there already (see store/inflow.py and store/results.py).

-- ── what came in ────────────────────────────────────────────────────────────────────────────────────────────────────

create table conversation (
    conversation_id varchar not null,
    content_hash varchar not null,          -- identity of what a judge can see
    record_hash varchar not null,           -- identity of the whole record, to tell changed from unchanged
    channel varchar, queue varchar, language varchar, reason varchar,
    contact_id varchar,                     -- the merged person; NULL: no identity
    started_at timestamp, started_offset_minutes integer, ended_at timestamp,
    n_messages integer not null, n_chars bigint not null,
    tools_recorded boolean, has_tools boolean not null, has_human boolean not null, has_handoff boolean not null,
    attributes json, as_given json not null,    -- as_given: contact, started_at, ended_at in the source's own writing
    source_file varchar, source_line bigint, ingest_id varchar
);

create table message (
    conversation_id varchar not null, number integer not null,      -- 1-based, as in the source
    role varchar not null, kind varchar not null, text varchar not null,
    sent_at timestamp, sent_offset_minutes integer,
    tool_calls json,                        -- [{id, name, arguments}]; NULL: none
    tool_call_id varchar, name varchar, is_error boolean, attributes json
);

create table event (
    conversation_id varchar not null, position integer not null,
    kind varchar not null, after integer not null,                  -- number of the last message before it
    happened_at timestamp, happened_offset_minutes integer, from_role varchar, to_role varchar, note varchar
);

create table contact (contact_id varchar not null, merged_into varchar);   -- merged_into: the log of merges
create table identity (kind varchar not null, value varchar not null, contact_id varchar not null);

create table policy (
    policy_id varchar not null, version varchar not null, policy_hash varchar not null,
    title varchar, text varchar not null, queues varchar[] not null, valid_from date, valid_to date
);

create table outcome (
    conversation_id varchar not null, csat double, csat_comment varchar, handled_by varchar,
    resolution_minutes double, observed_at timestamp, attributes json
);

create table label (
    conversation_id varchar not null, rubric varchar not null, rubric_version varchar not null, criterion varchar not null,
    reviewer varchar not null, answer varchar not null, message integer, quote varchar, clause varchar, note varchar,
    near_miss boolean not null, verdict_visible boolean, labelled_at timestamp
);

create table ingest (
    ingest_id varchar not null, path varchar not null, format varchar not null, bytes bigint,
    rows_in bigint not null, kept bigint not null, rejected bigint not null,     -- rows_in = kept + rejected
    n_new bigint not null, n_changed bigint not null, n_unchanged bigint not null,
    started_at timestamp not null, finished_at timestamp not null
);

create table rejection (
    ingest_id varchar not null, file varchar not null, line bigint, field varchar,
    reason varchar not null, cure varchar, excerpt varchar
);

-- ── what judged ─────────────────────────────────────────────────────────────────────────────────────────────────────

create table rubric (
    name varchar not null, version varchar not null, meaning_hash varchar not null, label_hash varchar not null,
    title varchar not null, body json not null, first_used_at timestamp not null
);

create table criterion (
    rubric varchar not null, rubric_version varchar not null, code varchar not null, position integer not null,
    title varchar not null, severity varchar not null, scale varchar not null        -- defect | choice
);

create table prompt (prompt_hash varchar not null, body json not null, first_used_at timestamp not null);

create table run (
    run_id varchar not null, started_at timestamp not null, finished_at timestamp,
    state varchar not null,                 -- running | complete | incomplete | interrupted | budget | refused | aborted
    judge varchar not null, model varchar not null, parameters json not null,
    rubrics json not null, selection json not null, seed bigint, n_population bigint not null,
    n_planned bigint not null, n_reused bigint not null, n_judged bigint not null, n_failed bigint not null,
    cost_usd double,                        -- NULL: a price is unknown
    grader_version varchar not null, command varchar
);

-- Every judgement that a run is about, reused or new: what a report of that run counts.
create table run_item (
    run_id varchar not null, conversation_id varchar not null, rubric varchar not null, key varchar not null,
    reused boolean not null, inclusion_probability double not null, stratum varchar
);

create table call (
    call_id varchar not null, run_id varchar not null, called_at timestamp not null,
    model varchar not null, mode varchar not null, attempts integer not null, reasks integer not null,
    prompt_tokens bigint, cached_tokens bigint, completion_tokens bigint, cost_usd double,
    latency_ms double, waited_ms double, request_id varchar, finish_reason varchar
);

-- ── what was found ──────────────────────────────────────────────────────────────────────────────────────────────────

create table judgement (
    key varchar not null, run_id varchar not null, conversation_id varchar not null, content_hash varchar not null,
    rubric varchar not null, rubric_version varchar not null, rubric_hash varchar not null, prompt_hash varchar not null,
    policy_hash varchar, judge varchar not null, model varchar not null, parameters_hash varchar not null,
    repeat integer not null, truncated boolean not null, judged_at timestamp not null, call_id varchar
);

create table verdict (
    key varchar not null, criterion varchar not null, answer varchar not null, support varchar not null, reasoning varchar
);

create table evidence (
    key varchar not null, criterion varchar not null, position integer not null,
    message integer not null,               -- 1-based; 0: a clause of the policy
    quote varchar not null, verified boolean not null, problem varchar
);

-- A judgement that could not be had. It stands until a judgement with the same key is there.
create table failure (
    key varchar not null, run_id varchar not null, conversation_id varchar not null, content_hash varchar not null,
    rubric varchar not null, cause varchar not null, detail varchar not null, retryable boolean not null, http_status integer,
    failed_at timestamp not null, call_id varchar
);

-- How far each journal has been taken into the database.
create table journal (name varchar not null, absorbed_bytes bigint not null);
