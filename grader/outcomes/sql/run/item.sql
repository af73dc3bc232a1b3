-- One row a judgement of the run: had, failed, or still to be had. $1: run_id.

select i.conversation_id, i.rubric, i.key, i.reused, i.inclusion_probability, i.stratum,
       j.rubric_version, j.repeat, j.call_id,
       case when j.key is not null then 'judged' when f.key is not null then 'failed' else 'pending' end as state,
       f.cause, f.detail, f.retryable, f.http_status
from (select conversation_id, rubric, key, bool_and(reused) as reused,
             min(inclusion_probability) as inclusion_probability, min(stratum) as stratum
      from run_item where run_id = $1 group by conversation_id, rubric, key) i
left join judgement j on j.key = i.key
left join failed f on f.key = i.key
