-- What the judgements of a run that count (of repeats the first) have cost, each call once. $1: run_id; $2: rubrics.
-- Sums are NULL where one call's is: a part is no whole.

with item as (
    select i.conversation_id, i.rubric, i.key, j.key is not null as judged, j.call_id, j.repeat,
           i.key in (select key from failure) as tried
    from run_item i
    left join judgement j using (key)
    where i.run_id = $1 and i.rubric in (select unnest($2))
),
first as (
    select * from item
    qualify row_number() over (partition by conversation_id, rubric order by judged desc, tried desc, repeat, key) = 1
),
behind as (
    select c.* from (select distinct call_id from first where judged and call_id is not null) b left join call c using (call_id)
),
used as (
    select count(*) as n_calls,
           count(*) filter (where cost_usd is null) as n_unpriced,
           case when count(*) = count(cost_usd) then coalesce(sum(cost_usd), 0)::double end as cost_usd,
           case when count(*) = count(prompt_tokens) then coalesce(sum(prompt_tokens), 0)::bigint end as prompt_tokens,
           case when count(*) = count(cached_tokens) then coalesce(sum(cached_tokens), 0)::bigint end as cached_tokens,
           case when count(*) = count(completion_tokens) then coalesce(sum(completion_tokens), 0)::bigint end
               as completion_tokens,
           quantile_cont(latency_ms, 0.5) as latency_ms, quantile_cont(latency_ms, 0.95) as latency_p95_ms
    from behind
)
select n_items, n_judged, n_failed, n_conversations, n_uncalled, used.*
from used, (
    select count(*) as n_items, count(*) filter (where judged) as n_judged,
           count(*) filter (where not judged and tried) as n_failed,
           count(distinct conversation_id) filter (where judged) as n_conversations,
           count(*) filter (where judged and call_id is null) as n_uncalled
    from first
)
