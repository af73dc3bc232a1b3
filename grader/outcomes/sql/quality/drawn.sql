-- The design with what each run's strata were made by.

select d.*, cast(r.selection -> '$.by' as varchar[]) as made_by
from design d
join run r on r.run_id = d.run_id
order by d.run_id, d.stratum nulls first, d.probability
