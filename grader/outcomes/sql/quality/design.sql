-- How these runs were drawn: each stratum with how many were drawn of how many. Where chances differ within what a run calls a
-- stratum, each chance is one.

select i.run_id, i.stratum, i.probability, count(*) as n_drawn, count(*) / i.probability as n_population
from (select run_id, conversation_id, min(inclusion_probability) as probability, min(stratum) as stratum
      from run_item where run_id in (select run_id from chosen) group by run_id, conversation_id) i
group by i.run_id, i.stratum, i.probability
