-- What each reviewer said of a conversation that came twice, the latest answer to each of both. $1: plan_id.

with latest as (
    select l.conversation_id, l.reviewer, l.rubric, l.criterion, i.copy, arg_max(l.answer, l.number) as answer
    from label_record l
    join label_item i on i.plan_id = l.plan_id and i.item_id = l.item_id
    where l.plan_id = $1 and l.role = 'reviewer' and not coalesce(l.verdict_visible, false)
    group by all
)
select a.reviewer, a.conversation_id, a.rubric || '.' || a.criterion as name, a.answer as first_answer,
       b.answer as second_answer
from latest a
join latest b using (conversation_id, reviewer, rubric, criterion)
where a.copy = 0 and b.copy = 1
order by all
