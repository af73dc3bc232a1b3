-- For each conversation of the run: does the same contact come back, when, and about the same issue?
-- $2: minutes within which the next conversation is the same one going on, not a recontact.
-- The clock starts at the last message. A return about something else does not hide a later one about the same issue.

, judged_reason as (     -- of the text as it is now, by whichever conversation with that text was judged; first
                         -- what this run counts, then the conversation's own judgement, then the latest
    select c.conversation_id,
           arg_max(v.answer, (n.key is not null, j.conversation_id = c.conversation_id, j.judged_at, j.key)) as reason
    from conversation c
    join judgement j on j.content_hash = c.content_hash and j.rubric = 'resolution'
    join verdict v on v.key = j.key and v.criterion = 'contact_reason' and v.answer <> 'cannot_assess'
    left join counted n on n.key = j.key and n.conversation_id = c.conversation_id
    where c.contact_id in (select contact_id from subject)
    group by c.conversation_id
),
history as (             -- all conversations of the people in this run
    select c.conversation_id, c.contact_id, c.started_at, coalesce(c.ended_at, c.started_at) as clock_at,
           j.reason as judged_reason, nullif(trim(c.reason), '') as source_reason,
           m.conversation_id is not null as came        -- the customer wrote; outbound messages are no recontact
    from conversation c
    left join judged_reason j on j.conversation_id = c.conversation_id
    left join (select distinct conversation_id from message where role = 'customer') m
        on m.conversation_id = c.conversation_id
    where c.contact_id in (select contact_id from subject) and c.started_at is not null
),
-- Two issues are compared by the judged reasons where both have one, else by the source's where both have one; else
-- nothing is known. Both the first return about the same issue and the first about an unknown one are looked for.
followed as (
    select *,
           lead(case when came then started_at end ignore nulls) over later as next_at,
           lead(case when came then conversation_id end ignore nulls) over later as next_id,
           lead(case when came then started_at end ignore nulls) over later_judged as same_judged_at,
           lead(case when came then started_at end ignore nulls) over later_source as same_source_at,
           lead(case when came and judged_reason is null then started_at end ignore nulls) over later_source
               as same_source_unjudged_at,
           lead(case when came and judged_reason is null then started_at end ignore nulls) over later as unjudged_at,
           lead(case when came and source_reason is null then started_at end ignore nulls) over later as unsourced_at,
           lead(case when came and judged_reason is null and source_reason is null then started_at end ignore nulls)
               over later as nameless_at
    from history
    window later as (partition by contact_id order by started_at, conversation_id),
           later_judged as (partition by contact_id, judged_reason order by started_at, conversation_id),
           later_source as (partition by contact_id, source_reason order by started_at, conversation_id)
),
recontact as (
    select s.conversation_id, s.queue, s.has_handoff, f.clock_at, f.next_at, f.next_id,
           case when f.judged_reason is not null and f.source_reason is not null
                    then least(f.same_judged_at, f.same_source_unjudged_at)
                when f.judged_reason is not null then f.same_judged_at
                when f.source_reason is not null then f.same_source_at end as same_issue_at,
           case when f.judged_reason is not null and f.source_reason is not null then f.nameless_at
                when f.judged_reason is not null then f.unjudged_at
                when f.source_reason is not null then f.unsourced_at
                else f.next_at end as unknown_issue_at,
           case when s.contact_id is null then 'no_identity'
                when f.clock_at is null then 'no_time'
                when f.next_at <= f.clock_at + to_minutes($2::integer) then 'continued'
                else 'clock' end as basis,
           (select max(greatest(started_at, ended_at)) from conversation) as data_end
    from subject s
    left join followed f using (conversation_id)
)
