-- What blind labels say of the run's verdicts, by code: of the flagged and of the clean ones that were labelled, how many have
-- the defect. Where reviewers differ, most of them decide; where they are even, nothing is said. The conversations are those
-- that associations are about: no human took over.

, labelled as (
    select l.conversation_id, l.rubric, l.rubric_version, l.criterion as code,
           count(*) filter (l.answer = 'present') as n_present, count(*) as n
    from (select *, row_number() over (
              partition by conversation_id, rubric, rubric_version, criterion, reviewer
              order by coalesce(labelled_at, timestamp '0001-01-01') desc) as latest
          from label where verdict_visible = false and answer in ('present', 'absent', 'not_applicable')) l
    where l.latest = 1
    group by l.conversation_id, l.rubric, l.rubric_version, l.criterion
)
select a.rubric, a.code,
       count(*) filter (a.flagged) as flagged,
       count(*) filter (a.flagged and 2 * l.n_present > l.n) as true_flagged,
       count(*) filter (not a.flagged) as clean,
       count(*) filter (not a.flagged and 2 * l.n_present > l.n) as true_clean
from answered a
join labelled l using (conversation_id, rubric, rubric_version, code)
join subject s using (conversation_id)
where a.scale = 'defect' and a.answer in ('present', 'absent') and not a.unsupported and 2 * l.n_present <> l.n
    and not s.has_handoff
group by a.rubric, a.code
