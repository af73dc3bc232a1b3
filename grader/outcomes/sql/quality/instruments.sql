-- What judged the conversations of each week, by rubric: its version, the judge, the model, parameters and prompt.

select week::varchar as week, rubric, list_sort(list(distinct instrument)) as instruments
from finding
group by week, rubric
order by week nulls last, rubric
