-- Runs that judged labelled conversations of a plan by one version of a rubric, the one that judged most of them first, of these
-- one that judged them for the first time (and asked for those that failed), of these the latest. $rubric, $version, $plan_id.
select r.run_id, count(distinct i.conversation_id) as n
from run r
join run_item i on i.run_id = r.run_id and i.rubric = $rubric
join judgement j on j.key = i.key and j.rubric = $rubric and j.rubric_version = $version
where r.selection ->> '$.golden' is null    -- what is judged again for a golden set is no run of its own
  and i.conversation_id in (select conversation_id from label_record where plan_id = $plan_id)
group by r.run_id, r.started_at
order by n desc, min(j.repeat), r.started_at desc, r.run_id desc
