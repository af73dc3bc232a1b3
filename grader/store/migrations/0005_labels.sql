-- Labels that are worth something: which conversations were drawn for labelling and how, who was asked what, and every answer
-- that was given. A plan is written once, before the first label; an answer that changes is another row.

create table label_plan (
    plan_id varchar not null,
    form_id varchar not null,               -- of what reviewers are given; says nothing of verdicts
    run_id varchar not null,                -- whose judged conversations were drawn from
    questions json not null,                -- [{rubric, rubric_version, rubric_hash, criterion}]
    parameters json not null, reviewers json not null, seed bigint not null, selection json not null,
    frame_hash varchar not null, n_frame bigint not null,
    grader_version varchar not null, drawn_at timestamp not null
);

create table label_stratum (
    plan_id varchar not null, position integer not null, stratum varchar not null,
    n_population bigint not null, n_drawn bigint not null
);

-- How many of a stratum have which verdict of a criterion: with it labels are weighted to what was judged.
create table label_cell (
    plan_id varchar not null, rubric varchar not null, criterion varchar not null, stratum varchar not null,
    verdict varchar,                        -- the answer; unsupported: present without proof; NULL: none could be had
    n_population bigint not null, n_drawn bigint not null
);

create table label_draw (
    plan_id varchar not null, conversation_id varchar not null, content_hash varchar not null,
    stratum varchar not null, inclusion_probability double not null,
    split varchar not null                  -- train | dev | test, by contact
);

-- What a reviewer was given. The same conversation twice (copy 1) tells whether one agrees with oneself.
create table label_item (
    plan_id varchar not null, item_id varchar not null, reviewer varchar not null, position integer not null,
    conversation_id varchar not null, copy integer not null
);

-- Every answer, the changed ones too. Labels that came from elsewhere have an origin and no plan, item or chance.
create table label_record (
    plan_id varchar, item_id varchar, origin varchar,
    conversation_id varchar not null, rubric varchar not null, rubric_version varchar not null, criterion varchar not null,
    reviewer varchar not null, role varchar not null,       -- reviewer | adjudicator | elsewhere
    number integer not null,                -- 1, 2 … of the same reviewer's answers to the same question about the same item
    answer varchar not null, note varchar, message integer, quote varchar,
    verdict_visible boolean,                -- NULL: not known, which only labels from elsewhere may be
    inclusion_probability double, labelled_at timestamp, imported_at timestamp not null
);

create table split_opening (
    plan_id varchar not null, split varchar not null, purpose varchar not null, opened_at timestamp not null
);
