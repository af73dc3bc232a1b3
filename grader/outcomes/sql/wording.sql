-- The rubrics' texts.

select r.name, r.version, r.body::varchar
from rubric r
join version v on v.rubric = r.name and v.rubric_version = r.version
order by r.name, r.version
