-- The strata of the sample, where it was drawn with unequal chances; none where it was not.

select layer as number, any_value(stratum) as name, any_value(inclusion_probability) as inclusion_probability,
       count(*) as n_drawn
from subject
where layer is not null
group by layer
order by layer
