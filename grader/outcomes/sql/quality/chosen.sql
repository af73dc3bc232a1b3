-- Of each week the run that judged most of its conversations, so that each counts once and under one sampling design. A run by a
-- judge that the latest decision held or failed (grader promote) gives way to any other. Of two alike, the one that asked more
-- rubrics, then the one that had to draw less. {run}: $1, the only run that may be; null: any but those that judged a golden set
-- again. {timezone}: of weeks. {first}, {last}: Mondays that bound them, or null.

with decided as (
    select rubric, to_instrument ->> '$.judge' as judge, to_instrument ->> '$.model' as model,
           to_instrument ->> '$.parameters_hash' as parameters_hash, to_instrument ->> '$.prompt_hash' as prompt_hash,
           to_instrument ->> '$.rubric_hash' as rubric_hash, arg_max(outcome, decided_at) as outcome
    from promotion
    group by all
),
judging as (
    select date_trunc('week', (c.started_at at time zone 'UTC') at time zone {timezone})::date as week, i.run_id,
           count(distinct i.conversation_id) as n, count(distinct i.rubric) as n_rubrics,
           avg(i.inclusion_probability) as chance, any_value(r.started_at) as started_at,
           bool_and(d.outcome is null or d.outcome = 'pass') as may
    from run_item i
    join run r on r.run_id = i.run_id
    join judgement j on j.key = i.key
    join conversation c on c.conversation_id = i.conversation_id
    left join decided d
        on d.rubric = j.rubric and d.judge = j.judge and d.model = j.model and d.parameters_hash = j.parameters_hash
        and d.prompt_hash = j.prompt_hash and d.rubric_hash = j.rubric_hash
    where case when {run}::varchar is null then (r.selection ->> '$.golden') is null else i.run_id = {run}::varchar end
    group by week, i.run_id
)
select week, arg_max(run_id, (may, n, n_rubrics, chance, started_at, run_id)) as run_id
from judging
where {first}::date is null or week between {first}::date and {last}::date
group by week
