-- For each defect code of the run and each contact reason: who of the flagged and of the clean ones had the outcome.
-- Where the run was drawn with unequal chances, by layer of its sample too.
-- $2: the window in hours; $3: recontact, same_issue or low_csat. Conversations that a human took over stand apart.

, rated as (
    select conversation_id, arg_max(csat, coalesce(observed_at, timestamp '0001-01-01')) as csat
    from outcome where csat is not null group by conversation_id
),
judged as (              -- unsupported findings are neither flagged nor clean
    select conversation_id, rubric, code, title, severity, position, flagged
    from answered where scale = 'defect' and answer in ('present', 'absent') and not unsupported
),
known as (               -- what is known of the outcome: true, false, or not (yet) known
    select r.conversation_id, r.has_handoff, s.layer, coalesce(j.reason, nullif(trim(c.reason), '')) as reason,
           case $3
               when 'low_csat' then q.csat <= 2
               when 'recontact' then case when r.basis = 'clock' and r.clock_at <= r.data_end - to_hours($2::integer)
                    then coalesce(r.next_at <= r.clock_at + to_hours($2::integer), false) end
               when 'same_issue' then case when r.basis = 'clock' and r.clock_at <= r.data_end - to_hours($2::integer)
                    then case when r.same_issue_at <= r.clock_at + to_hours($2::integer) then true
                              when r.unknown_issue_at <= r.clock_at + to_hours($2::integer) then null
                              else false end end
           end as had
    from recontact r
    join subject s using (conversation_id)
    join conversation c using (conversation_id)
    left join judged_reason j on j.id = c.rowid
    left join rated q using (conversation_id)
)
select j.rubric, j.code, any_value(j.title) as title, any_value(j.severity) as severity, k.reason, k.layer,
       count(*) filter (flagged and had and not has_handoff) as cases,
       count(*) filter (flagged and had is not null and not has_handoff) as n,
       count(*) filter (not flagged and had and not has_handoff) as control_cases,
       count(*) filter (not flagged and had is not null and not has_handoff) as n_control,
       count(*) filter (had is null and not has_handoff) as n_not_known,
       count(*) filter (has_handoff) as n_handed_over
from judged j join known k using (conversation_id)
group by j.rubric, j.code, k.reason, k.layer
order by j.rubric, min(j.position), j.code, k.reason nulls last, k.layer
