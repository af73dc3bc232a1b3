-- What people answered to the criteria that the run's rubrics ask, without sight of a verdict: the latest of each reviewer.
-- $2: conversations.

select l.conversation_id, l.rubric, l.criterion as code, l.answer, list(l.reviewer order by l.reviewer) as reviewers
from label l
join version v on v.rubric = l.rubric and v.rubric_version = l.rubric_version
where not coalesce(l.verdict_visible, false) and l.conversation_id in (select unnest($2))
group by l.conversation_id, l.rubric, l.criterion, l.answer
order by l.conversation_id, l.rubric, l.criterion, l.answer
