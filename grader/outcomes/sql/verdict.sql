-- Every verdict of some conversations of the run. $2: their ids; NULL: all.

select a.conversation_id, a.key, a.rubric, a.rubric_version, a.code, a.title, a.severity, a.scale, a.answer, a.support,
       a.reasoning, a.flagged, a.unsupported, s.queue, s.channel, s.language, s.started_at,
       j.judge, j.model, j.prompt_hash, j.judged_at, j.truncated, j.content_hash,
       s.stratum, s.inclusion_probability
from answered a
join subject s using (conversation_id)
join judgement j on j.key = a.key
where $2::varchar[] is null or a.conversation_id in (select unnest($2::varchar[]))
order by s.started_at nulls last, a.conversation_id, a.rubric, a.rubric_version, a.position
