-- Every figure by slice and stratum, as counts of who could count and who does.

select {slice}::varchar as slice, run_id, stratum, probability, count(*) as n_conversations, sum(1 / probability) as volume,
       count(*) filter (n_missing > 0) as n_in_part{counts}
from told
group by {slice}, run_id, stratum, probability
order by slice nulls last, run_id, stratum nulls first, probability
