-- Of each week the run that judged most of its conversations, of two alike the one that had to draw less, so that each counts
-- once and under one sampling design. {run}: $1, the only run that may be; null: any but those that judged a golden set again.
-- {timezone}: of weeks.

with judging as (
    select date_trunc('week', (c.started_at at time zone 'UTC') at time zone {timezone})::date as week, i.run_id,
           count(distinct i.conversation_id) as n, avg(i.inclusion_probability) as chance, any_value(r.started_at) as started_at
    from run_item i
    join run r on r.run_id = i.run_id
    join judgement j on j.key = i.key
    join conversation c on c.conversation_id = i.conversation_id
    where case when {run}::varchar is null then (r.selection ->> '$.golden') is null else i.run_id = {run}::varchar end
    group by week, i.run_id
)
select week, arg_max(run_id, (n, chance, started_at, run_id)) as run_id
from judging
group by week
