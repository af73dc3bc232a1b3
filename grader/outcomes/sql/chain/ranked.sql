-- The episodes that the customer began, in order, each with the next one: a return belongs to the latest episode before it.

select * exclude (came), row_number() over later as rank, lead(started_at) over later as next_at,
       lead(first_id) over later as next_id
from episode
where came
window later as (partition by person order by episode)
