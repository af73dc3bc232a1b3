-- The versions of rubrics that the run is about: of a rubric without any judgement, the version that the run asked for, else
-- the one used last. $1: run_id.

select distinct rubric, rubric_version from counted
union all
select r.name, coalesce(any_value(asked.version), arg_max(r.version, r.first_used_at))
from rubric r
left join (select unnest(json_transform(rubrics, '[{"name": "VARCHAR", "version": "VARCHAR"}]'), recursive := true)
           from run where run_id = $1) asked on asked.name = r.name
where r.name in (select rubric from item) and r.name not in (select rubric from counted)
group by r.name
