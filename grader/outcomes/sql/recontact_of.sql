-- For each conversation of `subject`: does the same contact come back, when, and about the same issue?
-- $2: minutes within which the next conversation is the same episode going on, not a recontact.
--
-- An episode is what one contact's conversations make that follow each other within the gap, such as a split or a
-- hand-off to another helpdesk; its clock starts at its last message. Episodes that the customer began count, as start
-- and as return; spam, tests, surveys and outbound messages do neither. A return belongs to the latest episode before it,
-- a return about the same issue to the latest one about that issue.

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
referred as (            -- but not where a helpdesk's conversation was cut at a return: that says nothing of the issue
    select conversation_id, list(distinct kind || chr(31) || value) as refs, list(distinct kind) as ref_kinds
    from reference where kind <> 'continues' group by conversation_id
),
history as (             -- all conversations of these people
    select c.conversation_id, c.contact_id, c.started_at, coalesce(c.ended_at, c.started_at) as clock_at,
           c.initiated_by, c.state, j.reason as judged_reason, nullif(trim(c.reason), '') as source_reason,
           r.refs, r.ref_kinds,
           coalesce(c.started_at > max(coalesce(c.ended_at, c.started_at)) over before + to_minutes($2::integer), true)
               as opens
    from conversation c
    left join judged_reason j on j.conversation_id = c.conversation_id
    left join referred r on r.conversation_id = c.conversation_id
    where c.contact_id in (select contact_id from subject) and c.started_at is not null and c.excluded is null
    window before as (partition by c.contact_id order by c.started_at, c.conversation_id
                      rows between unbounded preceding and 1 preceding)
),
numbered as (
    select *, sum(opens::integer) over theirs as episode, row_number() over theirs as place
    from history
    window theirs as (partition by contact_id order by started_at, conversation_id)
),
episode as (
    select contact_id, episode, min(started_at) as started_at, max(clock_at) as clock_at,
           arg_min(conversation_id, place) as first_id,
           arg_max(conversation_id, place) as last_id,
           arg_min(coalesce(initiated_by, ''), place) = 'customer' as came,
           arg_max(coalesce(state, ''), place) = 'open' as is_open,
           arg_min(judged_reason, place) filter (judged_reason is not null) as judged_reason,
           arg_min(source_reason, place) filter (source_reason is not null) as source_reason,
           list_distinct(flatten(list(refs) filter (refs is not null))) as refs,
           list_distinct(flatten(list(ref_kinds) filter (ref_kinds is not null))) as ref_kinds
    from numbered group by contact_id, episode
),
ranked as (              -- the customer's own, in order
    select *, row_number() over later as rank, lead(started_at) over later as next_at, lead(first_id) over later as next_id
    from episode where came
    window later as (partition by contact_id order by started_at, first_id)
),
pair as (                -- each with the next 20 within 30 days, and how much is known of their issues
    select a.contact_id, a.episode, b.started_at as back_at, b.first_id as back_id, b.rank as back_rank,
           case when len(list_intersect(a.ref_kinds, b.ref_kinds)) > 0 then 'reference'
                when a.judged_reason is not null and b.judged_reason is not null then 'reason'
                when a.source_reason is not null and b.source_reason is not null then 'source reason' end as how,
           case how when 'reference' then len(list_intersect(a.refs, b.refs)) > 0
                    when 'reason' then a.judged_reason = b.judged_reason
                    when 'source reason' then a.source_reason = b.source_reason end as same,
           a.first_id
    from ranked a
    join ranked b on b.contact_id = a.contact_id and b.rank > a.rank and b.rank <= a.rank + 20
        and b.started_at <= a.clock_at + interval 30 day
),
words as (               -- of the customer, for the pairs of which nothing else is known
    select first_id, list_distinct(flatten(list(regexp_extract_all(lower(strip_accents(text)), '[\p{L}\p{N}]{3,}')))) as words
    from (select first_id from pair where how is null union select back_id from pair where how is null)
    join message on conversation_id = first_id and role = 'customer' and kind in ('text', 'voice')
    group by first_id
),
compared as (            -- alike: half of the words of the two are in both. Unlike words do not make another issue.
    select p.* exclude (how, same),
           case when p.how is not null then p.how when alike then 'text' end as how,
           case when p.how is not null then p.same when alike then true end as same
    from (
        select p.*, len(a.words) >= 5 and len(b.words) >= 5
                    and len(list_intersect(a.words, b.words)) >= 0.5 * len(list_distinct(list_concat(a.words, b.words)))
                    as alike
        from pair p
        left join words a on a.first_id = p.first_id and p.how is null
        left join words b on b.first_id = p.back_id and p.how is null
    ) p
),
returned as (
    select contact_id, episode,
           min(back_at) filter (same) as same_issue_at,
           arg_min(back_id, back_rank) filter (same) as same_issue_id,
           arg_min(how, back_rank) filter (same) as same_issue_how,
           min(back_at) filter (same is null) as unknown_issue_at
    from compared group by contact_id, episode
),
recontact as (
    select s.conversation_id, s.queue, s.has_handoff, e.clock_at, e.next_at, e.next_id,
           r.same_issue_at, r.same_issue_id, r.same_issue_how, r.unknown_issue_at,
           case when s.contact_id is null then 'no_identity'
                when s.started_at is null then 'no_time'
                when n.conversation_id is null then 'excluded'
                when n.conversation_id <> p.last_id then 'continued'
                when not p.came then 'not_customer'
                when p.is_open then 'open'
                else 'clock' end as basis,
           (select max(greatest(started_at, ended_at)) from conversation) as data_end
    from subject s
    left join numbered n using (conversation_id)
    left join episode p on p.contact_id = n.contact_id and p.episode = n.episode
    left join ranked e on e.contact_id = n.contact_id and e.episode = n.episode
    left join returned r on r.contact_id = n.contact_id and r.episode = n.episode
)
