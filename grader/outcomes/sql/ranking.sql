-- The conversations of the run, those most worth reading first: proved defects by severity and number, then unproved.

select s.conversation_id, count(*) filter (where a.flagged) as n_flagged,
       count(*) filter (where a.unsupported) as n_unsupported
from subject s
left join answered a using (conversation_id)
group by s.conversation_id, s.started_at
order by count(*) filter (where a.flagged and a.severity = 'critical') > 0 desc,
         sum(case when not a.flagged then 0 else case a.severity
             when 'critical' then 8 when 'high' then 4 when 'medium' then 2 else 1 end end) desc nulls last,
         n_unsupported desc, s.started_at desc nulls last, s.conversation_id
