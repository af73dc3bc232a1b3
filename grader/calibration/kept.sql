-- What calibrations say of codes, the latest first. $1: calibration_id, or NULL; $2: rubric, or NULL; $3: no slices, but for
-- those judged clean, which an audit is of.
select k.*, c.plan_id, c.run_id, c.splits, c.seed, c.first_at, c.last_at, c.calibrated_at
from calibration_code k
join calibration c using (calibration_id)
where ($1::varchar is null or c.calibration_id = $1) and ($2::varchar is null or k.rubric = $2)
    and (not $3 or k.dimension is null or k.dimension = 'audit')
order by c.calibrated_at desc, c.calibration_id, k.position
