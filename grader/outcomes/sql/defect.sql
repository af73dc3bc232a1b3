-- Every code of the defect scale: over all, by queue, and by channel and language, each as a whole and by layer.

, expected as (          -- what should have been answered; what was not is failed or pending, never absent
    select s.queue, s.channel, s.language, s.layer, s.conversation_id, v.rubric, v.rubric_version,
           k.code, k.title, k.severity, k.position, i.all_pending
    from (select conversation_id, rubric, bool_and(state = 'pending') as all_pending
          from item group by conversation_id, rubric) i
    join subject s using (conversation_id)
    join version v on v.rubric = i.rubric
    join criterion k on k.rubric = v.rubric and k.rubric_version = v.rubric_version and k.scale = 'defect'
)
select e.rubric, e.rubric_version, e.code, e.title, e.severity, e.queue, e.channel, e.language,
       case when grouping(e.queue) = 0 then 'queue' when grouping(e.channel) = 0 then 'channel_language'
            else 'all' end as slice, e.layer,
       count(*) as n_conversations,
       count(*) filter (where a.flagged) as n_flagged,
       count(*) filter (where a.unsupported) as n_unsupported,
       count(*) filter (where a.answer = 'absent') as n_absent,
       count(*) filter (where a.answer = 'not_applicable') as n_not_applicable,
       count(*) filter (where a.answer = 'cannot_assess') as n_cannot_assess,
       count(*) filter (where a.answer is null and not e.all_pending) as n_failed,
       count(*) filter (where a.answer is null and e.all_pending) as n_pending
from expected e
left join answered a
    on a.conversation_id = e.conversation_id and a.rubric = e.rubric
    and a.rubric_version = e.rubric_version and a.code = e.code
group by grouping sets (
    (e.rubric, e.rubric_version, e.code, e.title, e.severity, e.position),
    (e.rubric, e.rubric_version, e.code, e.title, e.severity, e.position, e.queue),
    (e.rubric, e.rubric_version, e.code, e.title, e.severity, e.position, e.channel, e.language),
    (e.rubric, e.rubric_version, e.code, e.title, e.severity, e.position, e.layer),
    (e.rubric, e.rubric_version, e.code, e.title, e.severity, e.position, e.queue, e.layer),
    (e.rubric, e.rubric_version, e.code, e.title, e.severity, e.position, e.channel, e.language, e.layer))
having grouping(e.layer) = 1 or e.layer is not null
order by slice, e.queue, e.channel, e.language, n_flagged desc, e.rubric, e.rubric_version, e.position
