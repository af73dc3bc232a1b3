-- What a dimension can be.

select distinct {dimension}::varchar as name
from fact
where {dimension} is not null
order by name
