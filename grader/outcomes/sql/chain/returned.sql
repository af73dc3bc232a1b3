-- When each episode's contact came back about the same issue, and when about one of which that is not known;
-- when first about one that the judge's contact reasons decided. Words are alike
-- where half of those of the two are in both; unlike words do not make another issue.

with compared as (
    select p.first_id, p.back_at, p.back_id, p.back_rank, coalesce(p.how, 'text') as how,
           coalesce(p.same, case when len(a.words) >= 5 and len(b.words) >= 5
                and len(list_intersect(a.words, b.words)) >= 0.5 * len(list_distinct(list_concat(a.words, b.words)))
                then true end) as same
    from matched p
    left join words a on p.how is null and a.first_id = p.first_id
    left join words b on p.how is null and b.first_id = p.back_id
)
select first_id, min(back_at) filter (same) as same_issue_at,
       arg_min(back_id, back_rank) filter (same) as same_issue_id,
       arg_min(how, back_rank) filter (same) as same_issue_how,
       min(back_at) filter (same is null) as unknown_issue_at,
       min(back_at) filter (how = 'reason') as judged_issue_at
from compared
group by first_id
