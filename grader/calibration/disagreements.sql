-- What a run says where people have labelled, and all that these people said. $run_id; $plan_id; $asked: [{position,
-- conversation_id, rubric, rubric_version, criterion}], the version being the run's.
-- state: judged; failed, pending (no verdict could be had); changed (another text was judged); absent (not of the run); gone.

with asked as (
    select unnest(from_json($asked, '[{"position": "INTEGER", "conversation_id": "VARCHAR", "rubric": "VARCHAR",
                                       "rubric_version": "VARCHAR", "criterion": "VARCHAR"}]'), recursive := true)
),
cause as (
    select key, arg_max(cause, failed_at) as cause from failure group by key
),
-- Of repeated judgements the first counts, as in figures; one of the text as it is now goes before one of another.
found as (
    select a.position, c.conversation_id is null as is_gone, i.key as item_key, j.key, f.cause,
           j.content_hash = c.content_hash as same_text, c.queue, c.reason, c.channel, c.language, c.started_at
    from asked a
    left join conversation c on c.conversation_id = a.conversation_id
    left join run_item i on i.run_id = $run_id and i.conversation_id = a.conversation_id and i.rubric = a.rubric
    left join judgement j on j.key = i.key and j.rubric_version = a.rubric_version
    left join cause f on f.key = i.key
    qualify row_number() over (
        partition by a.position
        order by coalesce(j.content_hash = c.content_hash, false) desc, j.key is null, j.repeat, i.key
    ) = 1
),
proof as (
    select e.key, e.criterion,
           list({'message': e.message, 'text': e.quote, 'verified': e.verified, 'problem': e.problem}
                order by e.position) as quotes
    from evidence e
    where e.key in (select key from found)
    group by e.key, e.criterion
),
latest as (
    select * from label_record
    where plan_id = $plan_id and not coalesce(verdict_visible, false)
    qualify row_number() over (partition by item_id, conversation_id, rubric, criterion, reviewer, role
                               order by number desc) = 1
),
-- The note of a spreadsheet's row stands at each of its questions: it may be about another one.
noted as (
    select *, case when note is not null then count(*) over (
        partition by item_id, conversation_id, reviewer, role, note
    ) end as note_uses
    from latest
),
-- Whoever decided stands first, the last to decide before the others. A second look at a copy is no second opinion.
said as (
    select l.conversation_id, l.rubric, l.criterion,
           list({'reviewer': l.reviewer, 'role': l.role, 'answer': l.answer, 'note': l.note, 'message': l.message,
                 'quote': l.quote, 'of_all': coalesce(l.note_uses > 1, false)}
                order by l.role, case when l.role = 'adjudicator' then l.imported_at end desc, l.reviewer) as said
    from noted l
    left join label_item i on i.plan_id = l.plan_id and i.item_id = l.item_id
    where l.role = 'adjudicator' or i.copy = 0
    group by l.conversation_id, l.rubric, l.criterion
)
select a.position, f.queue, f.reason, f.channel, f.language, f.started_at,
       case when f.is_gone then 'gone' when f.item_key is null then 'absent' when f.key is null and f.cause is not null then 'failed'
            when f.key is null or v.answer is null then 'pending' when not f.same_text then 'changed'
            else 'judged' end as state,
       f.cause, v.answer, v.support, v.reasoning, coalesce(p.quotes, []) as quotes, coalesce(s.said, []) as said
from asked a
join found f using (position)
left join verdict v on v.key = f.key and v.criterion = a.criterion
left join proof p on p.key = f.key and p.criterion = a.criterion
left join said s
    on s.conversation_id = a.conversation_id and s.rubric = a.rubric and s.criterion = a.criterion
order by a.position
