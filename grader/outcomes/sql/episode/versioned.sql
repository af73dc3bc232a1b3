-- The version of the AI that answered first in each episode, where the source says it.

select n.person, n.episode, arg_min(c.ai_version, n.place) as ai_version
from numbered n
join conversation c on c.rowid = n.id
where c.ai_version is not null
group by n.person, n.episode
