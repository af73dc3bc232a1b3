-- Each pair with whether it is about the same issue, and how that is known: orders and tickets that both name decide, else
-- the judged reasons of both, else the source's. NULL: nothing tells so far.

select p.*,
       case when len(list_intersect(a.ref_kinds, b.ref_kinds)) > 0 then 'reference'
            when a.judged_reason is not null and b.judged_reason is not null then 'reason'
            when a.source_reason is not null and b.source_reason is not null then 'source reason' end as how,
       case how when 'reference' then len(list_intersect(a.refs, b.refs)) > 0
                when 'reason' then a.judged_reason = b.judged_reason
                when 'source reason' then a.source_reason = b.source_reason end as same
from pair p
join issue a on a.first_id = p.first_id
join issue b on b.first_id = p.back_id
