-- What happened after these conversations, and what they followed. $2: their ids; NULL: all. A return is a pair of episodes of one
-- contact; it is told at the last conversation of the first and at the first one of the second.

, compared as (
    select p.first_id, p.back_id, p.back_at, p.back_rank,
           coalesce(p.how, case when a.words is not null and b.words is not null then 'text' end) as how,
           coalesce(p.same, case when len(a.words) >= 5 and len(b.words) >= 5
                and len(list_intersect(a.words, b.words)) >= 0.5 * len(list_distinct(list_concat(a.words, b.words)))
                then true end) as same,
           coalesce(list_sort(list_intersect(x.refs, y.refs)), []) as shared
    from matched p
    left join words a on p.how is null and a.first_id = p.first_id
    left join words b on p.how is null and b.first_id = p.back_id
    left join issue x on x.first_id = p.first_id
    left join issue y on y.first_id = p.back_id
),
linked as (
    select e.first_id, e.last_id, e.clock_at, k.back_id, k.back_at, k.back_rank, k.same,
           case when k.same is not null then k.how end as how, k.shared,
           here.conversation_id as from_id, there.conversation_id as to_id
    from compared k
    join ranked e on e.first_id = k.first_id
    join conversation here on here.rowid = e.last_id
    join conversation there on there.rowid = k.back_id
),
came_back as (
    select from_id, list({'id': to_id, 'at': back_at, 'same': same, 'how': how, 'shared': shared} order by back_rank) as told
    from linked group by from_id
),
followed as (
    select to_id, list({'id': from_id, 'at': clock_at, 'same': same, 'how': how, 'shared': shared} order by clock_at desc) as told
    from linked group by to_id
)
select r.conversation_id, r.clock_at, r.next_at, r.next_id, r.same_issue_at, r.unknown_issue_at, r.basis, r.data_end,
       o.csat, o.csat_comment, o.handled_by, o.resolution_minutes, o.handle_minutes,
       case when r.basis = 'clock' then coalesce(b.told, []) else [] end as returns, coalesce(f.told, []) as before
from recontact r
left join came_back b on b.from_id = r.conversation_id
left join followed f on f.to_id = r.conversation_id
left join (select conversation_id, arg_max(csat, coalesce(observed_at, timestamp '0001-01-01')) as csat,
                  arg_max(csat_comment, coalesce(observed_at, timestamp '0001-01-01')) as csat_comment,
                  arg_max(handled_by, coalesce(observed_at, timestamp '0001-01-01')) as handled_by,
                  arg_max(resolution_minutes, coalesce(observed_at, timestamp '0001-01-01')) as resolution_minutes,
                  arg_max(handle_minutes, coalesce(observed_at, timestamp '0001-01-01')) as handle_minutes
           from outcome group by conversation_id) o using (conversation_id)
where $2::varchar[] is null or r.conversation_id in (select unnest($2::varchar[]))
