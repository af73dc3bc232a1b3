-- What one instrument said of each conversation, again and again: by criterion, the answers to one content under one set of
-- policies, in the order of the repeats; and how many have the same. $judge, $model, $parameters_hash, $prompt_hash, $rubric,
-- $rubric_hash, $together: the instrument. $codes: of these criteria; NULL: of all.
-- An answer is what figures count: present is one thing with proof and another without.

with grouped as (        -- which rubrics shared the calls of a run: a judgement belongs to the run that made it
    select run_id, case when (selection ->> '$.group') = 'all' and json_array_length(rubrics) > 1
                        then array_to_string(rubrics ->> '$[*].meaning_hash', ',') else '' end as together
    from run
),
mine as (
    select j.key, j.content_hash, j.policy_hash, j.repeat, j.rubric, j.rubric_version
    from judgement j
    left join grouped g on g.run_id = j.run_id
    where j.judge = $judge and j.model = $model and j.parameters_hash = $parameters_hash
        and j.prompt_hash = $prompt_hash and j.rubric = $rubric and j.rubric_hash = $rubric_hash
        and coalesce(g.together, '') = $together
),
said as (
    select v.criterion,
           list(case when v.answer = 'present' and v.support <> 'verified' and k.scale = 'defect' then 'unsupported'
                     else v.answer end order by m.repeat) as answers
    from mine m
    join verdict v on v.key = m.key
    join criterion k on k.rubric = m.rubric and k.rubric_version = m.rubric_version and k.code = v.criterion
    where $codes::varchar[] is null or v.criterion in (select unnest($codes::varchar[]))
    group by m.content_hash, m.policy_hash, v.criterion
)
select criterion, answers, count(*) as n
from said
group by criterion, answers
order by criterion, answers
