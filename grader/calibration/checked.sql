-- What golden sets of rubric $1 say of judge $2, model $3, parameters $4, prompt $5, meaning $6, together $7: of the latest
-- check of each set, one that failed before one that passed, since neither can make up for the other.
select s.name, c.outcome, c.sentence, c.checked_at
from golden_check c
join golden_set s using (golden_id)
where s.rubric = $1 and c.judge = $2 and c.model = $3 and c.parameters_hash = $4 and c.prompt_hash = $5
    and c.rubric_hash = $6 and c.together = $7
qualify row_number() over (partition by c.golden_id order by c.checked_at desc, c.rowid desc) = 1
order by case c.outcome when 'failed' then 0 when 'passed' then 1 else 2 end, c.checked_at desc
limit 1
