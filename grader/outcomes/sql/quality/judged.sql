-- What each conversation counts as: a figure is one of these columns of another. Rates of a defect are of those in which it
-- could be answered, unproved ones included. Whether a hand-off went well is of those where nothing is unproved.

with answers as (
    select run_id, conversation_id,
           max(state) filter (rubric = 'resolution' and code = 'resolved') as resolved,
           max(state) filter (rubric = 'resolution' and code = 'contact_reason') as contact_reason,
           max(state) filter (rubric = 'resolution' and code = 'escalation_reason') as escalation_reason,
           max(state) filter (rubric = 'resolution' and code = 'non_resolution_cause') as non_resolution_cause,
           max(state) filter (rubric = 'resolution' and code = 'mood_at_end') as mood,
           max(state) filter (code = 'handoff_without_context') as context,
           max(state) filter (code = 'customer_repeated_to_human') as repeated,
           max(state) filter (code = 'escalated_without_need') as early,
           max(state) filter (code = 'escalated_too_late') as late,
           max(state) filter (code = 'missed_escalation') as missed,
           bool_or(state = 'flagged') as flagged,
           list_sort(list(distinct code) filter (state = 'flagged')) as codes,
           bool_or(scale = 'defect' and state <> 'cannot_assess') as assessed,
           bool_or(state = 'flagged' and severity = 'critical') as critical,
           bool_or(scale = 'defect' and state <> 'cannot_assess' and severity = 'critical') as critical_assessed
    from finding
    group by run_id, conversation_id
)
select s.*, coalesce(nullif(a.contact_reason, 'cannot_assess'), s.source_reason) as reason,
       a.escalation_reason, a.non_resolution_cause, a.resolved as resolution, a.mood,
       coalesce(a.resolved in ('resolved', 'partly', 'not', 'unclear'), false) as resolution_known,
       coalesce(a.resolved = 'resolved', false) as resolved,
       coalesce(a.resolved in ('partly', 'not'), false) as unsolved,
       a.codes, coalesce(a.assessed, false) as assessed, coalesce(a.flagged, false) as flagged,
       coalesce(a.critical_assessed, false) as critical_assessed, coalesce(a.critical, false) as critical,
       s.has_handoff and coalesce(a.context in ('flagged', 'absent'), false) as context_known,
       s.has_handoff and coalesce(a.context = 'absent', false) as context_passed,
       s.has_handoff and coalesce(a.repeated in ('flagged', 'absent'), false) as repeat_known,
       s.has_handoff and coalesce(a.repeated = 'absent', false) as not_repeated,
       context_known and repeat_known and resolution_known as handoff_known,
       handoff_known and context_passed and not_repeated and a.resolved = 'resolved' as handoff_resolved,
       coalesce(a.early in ('flagged', 'unsupported', 'absent'), false) as early_assessed,
       coalesce(a.early = 'flagged', false) as early,
       coalesce(a.late in ('flagged', 'unsupported', 'absent'), false) as late_assessed,
       coalesce(a.late = 'flagged', false) as late,
       coalesce(a.missed in ('flagged', 'unsupported', 'absent'), false) as missed_assessed,
       coalesce(a.missed = 'flagged', false) as missed,
       s.by_ai and coalesce(a.mood in ('satisfied', 'neutral', 'frustrated', 'angry'), false) as mood_known_after_ai,
       s.by_ai and coalesce(a.mood in ('frustrated', 'angry'), false) as irritated_after_ai,
       s.has_handoff and coalesce(a.escalation_reason not in ('none', 'cannot_assess', 'not_applicable'), false)
           as with_escalation_cause,
       unsolved and coalesce(a.non_resolution_cause not in ('none', 'cannot_assess', 'not_applicable'), false)
           as with_non_resolution_cause,
       count(*) filter (with_escalation_cause) over episode as n_with_escalation_cause,      -- in one episode
       count(*) filter (with_non_resolution_cause) over episode as n_with_non_resolution_cause
from sampled s
left join answers a on a.run_id = s.run_id and a.conversation_id = s.conversation_id
window episode as (partition by s.run_id, coalesce(s.fact_id, s.id))
