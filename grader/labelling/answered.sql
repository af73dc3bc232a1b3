-- The reviewers' answers of a plan, the latest of each, and what stands as the reference. $1: plan_id.
-- how: agreed (several say the same), single (one reviewer), open (they differ), adjudicated (a third has decided).
-- A reviewer's second look at a copy is no second opinion; what somebody said after seeing the verdict is none either.

with latest as (
    select * from label_record
    where plan_id = $1 and not coalesce(verdict_visible, false)
    qualify row_number() over (partition by item_id, conversation_id, rubric, criterion, reviewer, role
                               order by number desc) = 1
),
said as (
    select l.conversation_id, l.rubric, l.rubric_version, l.criterion,
           list(l.reviewer order by l.reviewer) as reviewers, list(l.answer order by l.reviewer) as answers,
           count(distinct l.answer) as n_answers, min(l.answer) as answer
    from latest l
    join label_item i on i.plan_id = l.plan_id and i.item_id = l.item_id
    where l.role = 'reviewer' and i.copy = 0
    group by l.conversation_id, l.rubric, l.rubric_version, l.criterion
),
decided as (
    select conversation_id, rubric, criterion, arg_max(answer, imported_at) as answer,
           arg_max(reviewer, imported_at) as adjudicator
    from latest where role = 'adjudicator'
    group by conversation_id, rubric, criterion
)
select s.conversation_id, s.rubric, s.rubric_version, s.criterion, d.stratum, d.inclusion_probability, d.split,
       case when a.answer is not null then 'adjudicated' when s.n_answers > 1 then 'open'
            when len(s.answers) > 1 then 'agreed' else 'single' end as how,
       coalesce(a.answer, case when s.n_answers = 1 then s.answer end) as answer,
       s.reviewers, s.answers, a.adjudicator
from said s
join label_draw d on d.plan_id = $1 and d.conversation_id = s.conversation_id
left join decided a
    on a.conversation_id = s.conversation_id and a.rubric = s.rubric and a.criterion = s.criterion
order by s.conversation_id, s.rubric, s.criterion
