-- One row per criterion of a run that has labels by the reviewer: what the judge said against what the label says.
-- A defect counts as flagged only when it is present with verified proof; a choice agrees when the answers are equal.
with used as (
    select r ->> '$.name' as rubric, r ->> '$.version' as rubric_version
    from (select unnest(rubrics::json[]) as r from run where run_id = $run_id)
),
answered as (
    select i.conversation_id, i.rubric, v.criterion, v.answer, v.support
    from run_item as i
    join judgement as j using (key)
    join verdict as v using (key)
    where i.run_id = $run_id
    qualify row_number() over (partition by i.conversation_id, i.rubric, v.criterion order by j.repeat, j.key) = 1
)
select
    c.rubric, c.code, c.title, c.severity, c.scale,
    count(*) as n_labels,
    count(*) filter (a.answer is null) as n_missing,                    -- failed or not yet judged
    count(*) filter (a.answer = 'cannot_assess') as n_cannot_assess,
    count(*) filter (c.scale = 'defect' and l.answer = 'present') as n_positive,
    count(*) filter (a.answer = 'present' and a.support = 'verified') as n_flagged,
    count(*) filter (a.answer = 'present' and a.support = 'verified' and l.answer = 'present') as n_true,
    count(*) filter (a.answer = 'present' and a.support = 'verified' and l.near_miss) as n_near_misses_flagged,
    count(*) filter (l.near_miss) as n_near_misses,
    count(*) filter (l.answer = 'present' and a.answer = 'cannot_assess') as n_positive_not_assessed,
    count(*) filter (a.answer = l.answer) as n_equal
from label as l
-- Only what the run is about: its conversations, and its rubrics in the versions that it used.
join (select distinct conversation_id, rubric from run_item where run_id = $run_id) as i
    on i.conversation_id = l.conversation_id and i.rubric = l.rubric
join used as u on u.rubric = l.rubric and u.rubric_version = l.rubric_version
join criterion as c
    on c.rubric = l.rubric and c.rubric_version = l.rubric_version and c.code = l.criterion
left join answered as a
    on a.conversation_id = l.conversation_id and a.rubric = l.rubric and a.criterion = l.criterion
where l.reviewer = $reviewer
group by c.rubric, c.code, c.title, c.severity, c.scale
order by c.rubric, min(c.position)
