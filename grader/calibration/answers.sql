-- What a run said of some criteria of some conversations, with its reason and its first quote (one that holds before one that does
-- not). $run_id; $asked: [{conversation_id, rubric, criterion}].

with asked as (
    select unnest(from_json($asked, '[{"conversation_id": "VARCHAR", "rubric": "VARCHAR", "criterion": "VARCHAR"}]'),
                  recursive := true)
),
judged as (
    select i.conversation_id, j.rubric, j.key
    from run_item i
    join judgement j using (key)
    where i.run_id = $run_id and i.conversation_id in (select conversation_id from asked)
    qualify row_number() over (partition by i.conversation_id, j.rubric order by j.repeat, j.key) = 1
),
quoted as (
    select key, criterion, message, quote
    from evidence
    where key in (select key from judged)
    qualify row_number() over (partition by key, criterion order by verified desc, message = 0, position) = 1
)
select a.conversation_id, a.rubric, a.criterion, v.reasoning, q.message, q.quote
from asked a
join judged j on j.conversation_id = a.conversation_id and j.rubric = a.rubric
join verdict v on v.key = j.key and v.criterion = a.criterion
left join quoted q on q.key = j.key and q.criterion = a.criterion
