-- Conversations of these runs of which some judgement was neither had nor has failed: the run did not come to its end. Of
-- repeats one is enough.

select run_id, count(distinct conversation_id) as n
from (select i.run_id, i.conversation_id, i.rubric
      from run_item i
      left join judgement j on j.key = i.key
      left join failure f on f.key = i.key
      where i.run_id in (select run_id from chosen)
      group by all
      having count(j.key) = 0 and count(f.key) = 0)
group by run_id
