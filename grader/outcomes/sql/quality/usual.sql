-- What a human usually takes for a reason, in minutes, where at least {fewest} say it.

select reason, median(handle_minutes) as minutes
from fact
where handed_over and handle_minutes is not null and reason is not null
group by reason
having count(*) >= {fewest}
