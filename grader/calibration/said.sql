-- How often a run gave each answer to each criterion of its rubrics, as `labelling/frame.sql` reads it: texts as they were judged,
-- of repeated judgements the first. A row without a criterion: of how many conversations. $1: run_id.

with used as (
    select r ->> '$.name' as rubric, r ->> '$.version' as rubric_version
    from (select unnest(rubrics::json[]) as r from run where run_id = $1)
),
subject as (
    select distinct i.conversation_id, i.rubric
    from run_item i
    join conversation c using (conversation_id)
    where i.run_id = $1
),
judged as (
    select j.rubric, j.key
    from run_item i
    join judgement j using (key)
    join used u on u.rubric = j.rubric and u.rubric_version = j.rubric_version
    join conversation c on c.conversation_id = i.conversation_id and c.content_hash = j.content_hash
    where i.run_id = $1
    qualify row_number() over (partition by i.conversation_id, j.rubric order by j.repeat, j.key) = 1
)
select rubric, null as criterion, null as answer, count(*) as n from subject group by rubric
union all
select j.rubric, v.criterion,
       case when v.answer = 'present' and v.support not in ('verified', 'not_needed') then 'unsupported' else v.answer end,
       count(*)
from judged j
join verdict v using (key)
group by all
