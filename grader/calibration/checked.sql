-- The latest check of each golden set of rubric $1 under judge $2, model $3, parameters $4, prompt $5, meaning $6, together $7;
-- one that did not pass first: another set that did is no excuse for it.
with latest as (
    select s.name, c.outcome, c.sentence, c.checked_at
    from golden_check c
    join golden_set s using (golden_id)
    where s.rubric = $1 and c.judge = $2 and c.model = $3 and c.parameters_hash = $4 and c.prompt_hash = $5
        and c.rubric_hash = $6 and c.together = $7
    qualify row_number() over (partition by s.name order by c.checked_at desc) = 1
)
from latest
order by case outcome when 'failed' then 0 when 'passed' then 2 else 1 end, checked_at desc, name
limit 1
