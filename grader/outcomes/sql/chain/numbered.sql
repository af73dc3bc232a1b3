-- Each with the number of its episode.

select * exclude (opens), (sum(opens::integer) over (partition by person order by place))::integer as episode
from placed
