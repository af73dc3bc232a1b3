-- What a run judged, with its verdicts in the order of the questions. $run_id; $questions: [{position, rubric, rubric_version,
-- criterion}]. A judgement of a text that has changed since is none; of repeated ones the first counts, as in figures.

with asked as (
    select unnest(from_json($questions, '[{"position": "INTEGER", "rubric": "VARCHAR", "rubric_version": "VARCHAR",
                                           "criterion": "VARCHAR"}]'), recursive := true)
),
subject as (
    select distinct conversation_id from run_item
    where run_id = $run_id and rubric in (select rubric from asked)
),
judged as (
    select i.conversation_id, j.rubric, j.rubric_version, j.key
    from run_item i
    join judgement j using (key)
    join conversation c on c.conversation_id = i.conversation_id and c.content_hash = j.content_hash
    where i.run_id = $run_id
    qualify row_number() over (partition by i.conversation_id, j.rubric, j.rubric_version order by j.repeat, j.key) = 1
)
select s.conversation_id, c.content_hash, c.contact_id,
       list(case when v.answer = 'present' and v.support not in ('verified', 'not_needed') then 'unsupported' else v.answer end
            order by a.position) as verdicts
from subject s
join conversation c using (conversation_id)
cross join asked a
left join judged j
    on j.conversation_id = s.conversation_id and j.rubric = a.rubric and j.rubric_version = a.rubric_version
left join verdict v on v.key = j.key and v.criterion = a.criterion
group by s.conversation_id, c.content_hash, c.contact_id
order by s.conversation_id
