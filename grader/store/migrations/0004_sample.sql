-- Which conversations were drawn, how, and with which weights. A sample is written once and never changed: its id is a hash
-- of all that decides what it means. run_item has the same chances again, for the run that graded it.

create table sample (
    sample_id varchar not null, design varchar not null,            -- simple | stratified | top-queues | risk
    parameters json not null, seed bigint not null,
    selection json not null,                -- [[name, value]], as in --select
    frame varchar,                          -- what the figures are about, in words; NULL: all that was selected
    frame_hash varchar not null,            -- of every (conversation, stratum) that it was drawn from
    n_frame bigint not null,                -- that were selected
    data_end timestamp,                     -- the latest time in the data then; NULL: there was none
    grader_version varchar not null, drawn_at timestamp not null
);

create table sample_stratum (
    sample_id varchar not null, position integer not null, stratum varchar,   -- NULL: there is only one
    n_population bigint not null, n_drawn bigint not null
);

create table sample_item (
    sample_id varchar not null, conversation_id varchar not null,
    content_hash varchar not null,          -- of what could be seen of it then
    inclusion_probability double not null, stratum varchar
);
