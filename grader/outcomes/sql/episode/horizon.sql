-- How far the data reach: the latest time of any conversation, not today.

select max(greatest(started_at, ended_at)) as data_end
from conversation
