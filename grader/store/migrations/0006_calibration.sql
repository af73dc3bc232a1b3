-- How far judges can be trusted, as it was found out: calibrations, golden sets and their checks, promotions. Each row names the
-- instrument that it is about: judge, model, parameters, prompt, rubric by the hash of its meaning, and `together`, the meanings
-- of the rubrics that share a call ('': each has its own). Records are written once and never changed.

create table calibration (
    calibration_id varchar not null, plan_id varchar not null, run_id varchar not null,  -- labels of the plan, verdicts of the run
    splits json not null, seed bigint not null, draws integer not null,
    first_at timestamp, last_at timestamp,  -- when the conversations of the frame began
    grader_version varchar not null, calibrated_at timestamp not null
);

create table calibration_code (
    calibration_id varchar not null, position integer not null,
    judge varchar not null, model varchar not null, parameters_hash varchar not null, prompt_hash varchar not null,
    rubric varchar not null, rubric_version varchar not null, rubric_hash varchar not null, together varchar not null,
    criterion varchar not null, option varchar,     -- of a choice: the answer that is looked for
    dimension varchar, slice varchar,       -- NULL dimension: over all
    standing varchar not null,              -- calibrated | not_calibrated | insufficient | unreliable
    sentence varchar not null,              -- what it means, and what to do next
    n_population bigint not null, n_labelled bigint not null,
    figures json not null,                  -- by name: {point, low, high, n, of, method, reason}
    parts json not null                     -- strata with their labels: what a later frame is read with
);

-- Conversations whose answers are known, judged again whenever the instrument changes. `baseline`: what the judge said of them
-- when the set was frozen.
create table golden_set (
    golden_id varchar not null, name varchar not null, plan_id varchar not null, run_id varchar not null,
    rubric varchar not null, rubric_version varchar not null, rubric_hash varchar not null,
    judge varchar not null, model varchar not null, parameters_hash varchar not null, prompt_hash varchar not null,
    together varchar not null, seed bigint not null, grader_version varchar not null, frozen_at timestamp not null
);

create table golden_item (
    golden_id varchar not null, position integer not null, conversation_id varchar not null, content_hash varchar not null,
    criterion varchar not null, expected varchar not null, baseline varchar
);

create table golden_check (
    golden_id varchar not null, run_id varchar not null,
    judge varchar not null, model varchar not null, parameters_hash varchar not null, prompt_hash varchar not null,
    rubric_version varchar not null, rubric_hash varchar not null, together varchar not null,
    outcome varchar not null,               -- passed | failed | insufficient
    sentence varchar not null, evidence json not null, checked_at timestamp not null
);

create table promotion (
    promotion_id varchar not null, rubric varchar not null, outcome varchar not null,   -- pass | hold | fail
    from_run varchar not null, to_run varchar not null, from_instrument json not null, to_instrument json not null,
    plan_id varchar not null, gate json not null, evidence json not null,
    grader_version varchar not null, decided_at timestamp not null
);
