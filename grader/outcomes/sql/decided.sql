-- How many codes of each rubric the judge decided at all. What a rule answered without asking it is no decision of its.

select k.rubric, k.rubric_version, count(*) as n_codes, count(*) filter (where d.code is not null) as n_decided,
       coalesce(list(k.title order by k.position) filter (where d.code is null), []) as undecided
from (select distinct rubric, rubric_version from counted) v
join criterion k using (rubric, rubric_version)
left join (select distinct rubric, rubric_version, code from answered
           where answer <> 'cannot_assess' and support <> 'ruled') d
    on d.rubric = k.rubric and d.rubric_version = k.rubric_version and d.code = k.code
group by k.rubric, k.rubric_version
order by k.rubric, k.rubric_version
