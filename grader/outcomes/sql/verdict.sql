-- Every verdict of some conversations of the run. $2: their ids; NULL: all. `answers`: of every repeat of the judgement, in
-- order. `sharing`: the rubrics that one call answered.

, sharing as (
    select call_id, list(distinct rubric order by rubric) as rubrics
    from judgement
    where call_id in (select call_id from item where call_id is not null
                      and ($2::varchar[] is null or conversation_id in (select unnest($2::varchar[]))))
    group by call_id
),
repeated as (
    select i.conversation_id, i.rubric, i.rubric_version, v.criterion, list(v.answer order by i.repeat, i.key) as answers
    from item i
    join verdict v on v.key = i.key
    where i.state = 'judged' and ($2::varchar[] is null or i.conversation_id in (select unnest($2::varchar[])))
    group by all
    having count(*) > 1
)
select a.conversation_id, a.key, a.rubric, a.rubric_version, a.code, a.title, a.severity, a.scale, a.answer, a.support,
       a.reasoning, a.flagged, a.unsupported, s.queue, s.channel, s.language, s.started_at,
       j.judge, j.model, j.prompt_hash, j.judged_at, j.truncated, j.content_hash,
       s.stratum, s.inclusion_probability,
       j.call_id is not null as called, c.cost_usd, coalesce(h.rubrics, []) as sharing, coalesce(r.answers, []) as repeats
from answered a
join subject s using (conversation_id)
join judgement j on j.key = a.key
left join call c on c.call_id = j.call_id
left join sharing h on h.call_id = j.call_id
left join repeated r on r.conversation_id = a.conversation_id and r.rubric = a.rubric
     and r.rubric_version = a.rubric_version and r.criterion = a.code
where $2::varchar[] is null or a.conversation_id in (select unnest($2::varchar[]))
order by s.started_at nulls last, a.conversation_id, a.rubric, a.rubric_version, a.position
