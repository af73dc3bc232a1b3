-- Conversations of these runs of which some judgement was neither had nor has failed: the run did not come to its end.

select i.run_id, count(distinct i.conversation_id) as n
from run_item i
left join judgement j on j.key = i.key
left join failure f on f.key = i.key
where i.run_id in (select run_id from chosen) and j.key is null and f.key is null
group by i.run_id
