-- How long it took, by Kaplan and Meier: half and nine tenths of each slice were {event} within so many seconds. Those that are
-- not (yet) are watched for {watched} seconds and then no more. NULL: fewer than that were, while they were watched.

with watched as (
    select {slice}::varchar as slice, {event} as event, try_cast({watched} as integer) as seconds
    from told
    where {asked}
),
counted as (
    select slice, seconds, count(*) filter (event) as events, count(*) as ended
    from watched where seconds >= 0 group by slice, seconds
),
at_risk as (
    select *, sum(ended) over (partition by slice order by seconds desc) as n from counted
),
left_over as (
    select slice, seconds, events, ended,
           exp(sum(case when events < n then ln(1 - events / n) else -1e9 end) over (partition by slice order by seconds))
               as share
    from at_risk
)
select slice, min(seconds) filter (share <= 0.5 + 1e-9)::double as median,
       min(seconds) filter (share <= 0.1 + 1e-9)::double as p90,
       sum(events)::bigint as n_events, (sum(ended) - sum(events))::bigint as n_censored
from left_over
group by slice
