-- Each of these with the next 20 within 30 days.

select a.first_id, b.started_at as back_at, b.first_id as back_id, b.rank as back_rank
from ranked a
join ranked b on b.person = a.person and b.rank > a.rank and b.rank <= a.rank + 20
    and b.started_at <= a.clock_at + interval 30 day
