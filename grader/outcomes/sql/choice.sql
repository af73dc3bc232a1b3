-- Every option that was chosen, over all and by queue, each as a whole and by layer, with conversations to look at: unsolved and flagged ones first.

, told as (
    select a.conversation_id, a.rubric, a.rubric_version, a.code, a.title, a.position, a.answer as option, s.queue, s.layer,
           s.started_at, r.answer as contact_reason,
           coalesce(f.flagged, false) as flagged, coalesce(f.resolved in ('partly', 'not'), false) as unsolved,
           coalesce(f.resolved in ('resolved', 'partly', 'not', 'unclear'), false) as resolution_judged
    from answered a
    join subject s using (conversation_id)
    left join (select conversation_id, answer from answered where rubric = 'resolution' and code = 'contact_reason') r
        using (conversation_id)
    left join (select conversation_id, bool_or(flagged) as flagged,
                      max(answer) filter (where rubric = 'resolution' and code = 'resolved') as resolved
               from answered group by conversation_id) f using (conversation_id)
    where a.scale = 'choice'
)
select rubric, rubric_version, code, title, option, queue, grouping(queue) = 1 as overall, layer,
       count(*) as n, count(*) filter (where unsolved) as n_unsolved,
       count(*) filter (where resolution_judged) as n_resolution_judged,
       list(conversation_id order by unsolved desc, flagged desc, started_at desc, conversation_id)[1:3] as examples,
       map_entries(histogram(contact_reason)) as reasons
from told
group by grouping sets ((rubric, rubric_version, code, title, position, option),
                        (rubric, rubric_version, code, title, position, option, queue),
                        (rubric, rubric_version, code, title, position, option, layer),
                        (rubric, rubric_version, code, title, position, option, queue, layer))
having grouping(layer) = 1 or layer is not null
order by overall desc, queue, rubric, position, n desc, option
