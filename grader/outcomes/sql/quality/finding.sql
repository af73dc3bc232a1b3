-- One row a verdict of these; of repeated judgements the first one counts. `state`: as a report counts it.

select s.run_id, s.conversation_id, s.week, j.rubric, k.code, k.severity, k.scale,
       case when k.scale = 'defect' and v.answer = 'present'
            then case when v.support = 'verified' then 'flagged' else 'unsupported' end
            else v.answer end as state,
       concat_ws(' · ', j.rubric || ' ' || j.rubric_version, j.judge, j.model, left(j.parameters_hash, 11),
                 left(j.prompt_hash, 11)) as instrument
from sampled s
join (select distinct run_id, conversation_id, rubric, key from run_item) i
    on i.run_id = s.run_id and i.conversation_id = s.conversation_id
join judgement j on j.key = i.key
join verdict v on v.key = j.key
join criterion k on k.rubric = j.rubric and k.rubric_version = j.rubric_version and k.code = v.criterion
qualify row_number() over (partition by s.run_id, s.conversation_id, j.rubric, k.code order by j.repeat, j.key) = 1
