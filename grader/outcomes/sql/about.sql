-- What the run is: its row, and what stood behind its judgements.

select r.run_id, r.started_at, r.finished_at, r.state, r.judge, r.model, r.parameters::varchar as parameters,
       r.selection::varchar as selection, r.seed, r.n_population, r.cost_usd, r.grader_version, r.command,
       (select coalesce(list(rubric || ' ' || rubric_version order by rubric, rubric_version) , []) from version) as rubrics,
       (select coalesce(list_sort(list(distinct prompt_hash)), []) from judgement where key in (select key from counted)) as prompts,
       (select coalesce(list_sort(list(distinct model)), []) from judgement where key in (select key from counted)) as models,
       (select count(*) from judgement where truncated and key in (select key from counted)) as n_truncated,
       (select min(inclusion_probability) from item) as min_probability,
       (select max(inclusion_probability) from item) as max_probability,
       (select count(*) from version v join criterion k using (rubric, rubric_version)) as n_codes,
       (select count(distinct (rubric, code)) from answered where answer <> 'cannot_assess') as n_codes_decided
from run r
where r.run_id = $1
