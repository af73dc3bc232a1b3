-- By slice and reason: what the AI resolved for sure, and what it may have.

select {slice}::varchar as slice, reason, count(*) filter (ai_resolved) as n_resolved,
       count(*) filter (ai_issue_unknown) as n_unknown
from told
group by all
having n_resolved + n_unknown > 0
order by slice nulls last, reason nulls last
