-- What judging cost: the calls that this run paid for, and the calls behind all of its judgements, reused ones too.

, behind as (select distinct call_id from item where state = 'judged' and call_id is not null),
paid as (
    select count(*) as n_calls, count(*) filter (where cost_usd is null) as n_unpriced,
           coalesce(sum(cost_usd), 0)::double as known_usd,
           coalesce(sum(attempts), 0)::bigint as n_requests,
           count(*) filter (where prompt_tokens is null or completion_tokens is null) as n_uncounted,
           coalesce(sum(prompt_tokens), 0)::bigint as prompt_tokens,
           coalesce(sum(cached_tokens), 0)::bigint as cached_tokens,
           coalesce(sum(completion_tokens), 0)::bigint as completion_tokens
    from call where run_id = $1
),
judging as (
    select count(*) as n_judging_calls, count(*) filter (where c.cost_usd is null) as n_judging_unpriced,
           coalesce(sum(c.cost_usd), 0)::double as judging_known_usd,
           coalesce(sum(c.cost_usd) filter (where c.run_id <> $1), 0)::double as paid_by_others_usd
    from behind b left join call c on c.call_id = b.call_id
)
select paid.*, judging.*,
       (select count(*) from subject where n_judged > 0) as n_judged_conversations
from paid, judging
