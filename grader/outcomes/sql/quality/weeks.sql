-- How many conversations of a run lie in each week. $1: its id; $2: the time zone of weeks. Those that have gone from the database
-- are in none.

select date_trunc('week', (c.started_at at time zone 'UTC') at time zone $2::varchar)::date as week, count(*) as n
from (select distinct conversation_id from run_item where run_id = $1) i
join conversation c on c.conversation_id = i.conversation_id
group by week
order by week nulls last
