-- What the run is: its row, and what stood behind its judgements.

select r.run_id, r.started_at, r.finished_at, r.state, r.judge, r.model, r.parameters::varchar as parameters,
       r.selection::varchar as selection, r.seed, r.n_population,
       (select count(*) from conversation) as n_stored, r.cost_usd, r.grader_version, r.command,
       (select coalesce(list(rubric || ' ' || rubric_version order by rubric, rubric_version) , []) from version) as rubrics,
       (select coalesce(list_sort(list(distinct prompt_hash)), []) from judgement where key in (select key from counted)) as prompts,
       (select coalesce(list_sort(list(distinct model)), []) from judgement where key in (select key from counted)) as models,
       (select count(*) from judgement where truncated and key in (select key from counted)) as n_truncated,
       (select min(inclusion_probability) from item) as min_probability,
       (select max(inclusion_probability) from item) as max_probability
from run r
where r.run_id = $1
