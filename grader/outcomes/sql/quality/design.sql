-- How these runs were drawn: each stratum with how many were drawn of how many. A run without strata is one.

select i.run_id, i.stratum, count(*) as n_drawn, sum(1 / i.probability) as n_population,
       min(i.probability) as least, max(i.probability) as most
from (select run_id, conversation_id, min(inclusion_probability) as probability, min(stratum) as stratum
      from run_item where run_id in (select run_id from chosen) group by run_id, conversation_id) i
group by i.run_id, i.stratum
