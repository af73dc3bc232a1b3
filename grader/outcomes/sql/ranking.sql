-- The conversations of the run as a list shows them, those most worth reading first. $2: hours in which a return counts.
-- First those with a proved critical defect, then by `worth`: a proved defect is 8, 4, 2 or 1 by its severity; 4 more where
-- the customer came back about the same issue in time, 2 where they rated it 2 or less, 1 where the signals see one code
-- otherwise than the judge. Then by unproved defects, then the newest.

, of_run as (            -- what counts, with what is needed to find the same judged otherwise
    select c.conversation_id, c.rubric, c.key, j.judge, j.model, j.content_hash, j.rubric_hash, j.prompt_hash,
           j.policy_hash, j.parameters_hash, j.truncated
    from counted c join judgement j on j.key = c.key
),
signal as (              -- what the signals say of the same text, whichever run asked them; of several times the latest
    select j.conversation_id, j.content_hash, j.rubric, v.criterion as code,
           arg_max(v.answer = 'present', (j.judged_at, j.key)) as present
    from judgement j
    join verdict v on v.key = j.key
    where j.judge = 'signals' and j.conversation_id in (select conversation_id from subject)
      and (v.answer = 'absent' or v.answer = 'present' and v.support = 'verified')
    group by all
),
compared as (
    select a.conversation_id, a.code, a.flagged <> g.present as differs
    from answered a
    join of_run m on m.key = a.key and m.judge <> 'signals'
    join signal g on g.conversation_id = a.conversation_id and g.content_hash = m.content_hash
                 and g.rubric = a.rubric and g.code = a.code
    where a.scale = 'defect' and (a.flagged or a.answer = 'absent')
),
against as (
    select conversation_id, list(distinct code order by code) filter (where differs) as disputed from compared group by all
),
again as (               -- flagged at one time and not at another, by the same instrument about the same text
    select m.conversation_id, list(distinct a.code order by a.code) as wavering
    from of_run m
    join judgement o on o.conversation_id = m.conversation_id and o.content_hash = m.content_hash
         and o.rubric = m.rubric and o.rubric_hash = m.rubric_hash and o.prompt_hash = m.prompt_hash
         and o.judge = m.judge and o.model = m.model and o.parameters_hash = m.parameters_hash
         and o.policy_hash is not distinct from m.policy_hash and o.key <> m.key
    join answered a on a.key = m.key and a.scale = 'defect'
    join verdict v on v.key = o.key and v.criterion = a.code
    where a.flagged <> (v.answer = 'present' and v.support = 'verified')
    group by m.conversation_id
),
told as (
    select conversation_id, arg_max(csat, coalesce(observed_at, timestamp '0001-01-01')) as csat,
           arg_max(handled_by, coalesce(observed_at, timestamp '0001-01-01')) as handled_by
    from outcome group by conversation_id
),
back as (
    select conversation_id, coalesce(case
        when basis <> 'clock' then 'unknown'
        when same_issue_at <= clock_at + to_hours($2) then 'same'
        when unknown_issue_at <= clock_at + to_hours($2) then 'unsure'
        when next_at <= clock_at + to_hours($2) then 'other'
        when clock_at <= data_end - to_hours($2) then 'no' end, 'early') as came_back
    from recontact
),
found as (
    select conversation_id,
           list(code order by case severity when 'critical' then 0 when 'high' then 1 when 'medium' then 2 else 3 end,
                rubric, position) filter (where flagged) as flagged,
           list(code order by rubric, position) filter (where unsupported) as unsupported,
           count(*) filter (where flagged) as n_flagged, count(*) filter (where unsupported) as n_unsupported,
           coalesce(bool_or(flagged and severity = 'critical'), false) as critical,
           coalesce(sum(case severity when 'critical' then 8 when 'high' then 4 when 'medium' then 2 else 1 end)
                    filter (where flagged), 0) as weight,
           max(answer) filter (where rubric = 'resolution' and code = 'contact_reason') as reason,
           max(answer) filter (where rubric = 'resolution' and code = 'resolved') as resolved
    from answered
    group by conversation_id
),
partial as (
    select conversation_id, bool_or(truncated) as partly from of_run group by conversation_id
)
select s.conversation_id, coalesce(f.n_flagged, 0) as n_flagged, coalesce(f.n_unsupported, 0) as n_unsupported,
       coalesce(f.flagged, []) as flagged, coalesce(f.unsupported, []) as unsupported,
       a.conversation_id is not null as compared, coalesce(a.disputed, []) as disputed, coalesce(w.wavering, []) as wavering,
       coalesce(p.partly, false) as partly, s.queue, s.channel, s.language, coalesce(f.reason, c.reason) as reason,
       f.resolved, coalesce(o.handled_by, case when c.has_ai and c.has_human then 'both' when c.has_ai then 'ai'
                                               when c.has_human then 'human' end) as handled_by,
       coalesce(b.came_back, 'unknown') as came_back, o.csat, s.started_at, c.n_messages,
       (coalesce(f.weight, 0) + case when b.came_back = 'same' then 4 else 0 end
        + case when o.csat <= 2 then 2 else 0 end + case when len(a.disputed) > 0 then 1 else 0 end)::integer as worth
from subject s
left join conversation c on c.conversation_id = s.conversation_id
left join found f on f.conversation_id = s.conversation_id
left join against a on a.conversation_id = s.conversation_id
left join again w on w.conversation_id = s.conversation_id
left join partial p on p.conversation_id = s.conversation_id
left join told o on o.conversation_id = s.conversation_id
left join back b on b.conversation_id = s.conversation_id
order by coalesce(f.critical, false) desc, coalesce(f.n_flagged, 0) > 0 desc, worth desc, n_unsupported desc,
         s.started_at desc nulls last, s.conversation_id
