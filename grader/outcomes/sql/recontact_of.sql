-- For each conversation of the run: does the same contact come back, when, and about the same issue?
-- $2: minutes within which the next conversation is the same one going on, not a recontact.
-- The clock starts at the last message. Each recontact belongs to the latest conversation before it.

, judged_reason as (     -- this run's own answer first, else the latest of any run
    select j.conversation_id,
           arg_max(v.answer, (j.key in (select key from counted), j.judged_at)) as reason
    from judgement j
    join verdict v on v.key = j.key
    where v.criterion = 'contact_reason' and j.rubric = 'resolution' and v.answer <> 'cannot_assess'
    group by j.conversation_id
),
history as (             -- all conversations of the people in this run
    select c.conversation_id, c.contact_id, c.started_at, coalesce(c.ended_at, c.started_at) as clock_at,
           j.reason as judged_reason, c.reason as source_reason,
           m.conversation_id is not null as came        -- the customer wrote; outbound messages are no recontact
    from conversation c
    left join judged_reason j on j.conversation_id = c.conversation_id
    left join (select distinct conversation_id from message where role = 'customer') m
        on m.conversation_id = c.conversation_id
    where c.contact_id in (select contact_id from subject) and c.started_at is not null
),
followed as (
    select *,
           lead(case when came then started_at end ignore nulls) over later as next_at,
           lead(case when came then conversation_id end ignore nulls) over later as next_id,
           lead(case when came then judged_reason end ignore nulls) over later as next_judged_reason,
           lead(case when came then source_reason end ignore nulls) over later as next_source_reason,
           lead(case when came then started_at end ignore nulls) over later_judged as same_judged_at,
           lead(case when came then started_at end ignore nulls) over later_source as same_source_at
    from history
    window later as (partition by contact_id order by started_at, conversation_id),
           later_judged as (partition by contact_id, judged_reason order by started_at, conversation_id),
           later_source as (partition by contact_id, source_reason order by started_at, conversation_id)
),
recontact as (
    select s.conversation_id, s.queue, s.has_handoff, f.clock_at, f.next_at, f.next_id,
           case when f.judged_reason is not null then f.same_judged_at
                when f.source_reason is not null then f.same_source_at end as same_issue_at,
           -- the reason of both sides must be known, in the same vocabulary, before "another issue" may be said
           (f.judged_reason is not null and f.next_judged_reason is not null)
               or (f.judged_reason is null and f.source_reason is not null and f.next_source_reason is not null)
               as issue_known,
           case when s.contact_id is null then 'no_identity'
                when f.clock_at is null then 'no_time'
                when f.next_at <= f.clock_at + to_minutes($2::integer) then 'continued'
                else 'clock' end as basis,
           (select max(greatest(started_at, ended_at)) from conversation) as data_end
    from subject s
    left join followed f using (conversation_id)
)
