-- By reason: how long a human's part takes, in minutes. The 95 % interval of the median is that of order statistics (Conover
-- 1999, Practical Nonparametric Statistics, section 3.2).

with ordered as (
    select reason, handle_minutes as minutes, row_number() over (partition by reason order by handle_minutes) as place,
           count(*) over (partition by reason) as n
    from told
    where handled and reason is not null
)
select reason, count(*) as n, median(minutes)::double as median,
       min(minutes) filter (place >= floor(n / 2 - 0.98 * sqrt(n)))::double as low,
       min(minutes) filter (place >= least(n, ceil(1 + n / 2 + 0.98 * sqrt(n))))::double as high
from ordered
group by reason
order by reason
