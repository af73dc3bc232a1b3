-- What a run is about. $1: run_id. Every other query of this folder begins with these tables.

with failed as (     -- the latest cause stands
    select key, arg_max(cause, failed_at) as cause, arg_max(detail, failed_at) as detail,
           arg_max(retryable, failed_at) as retryable, arg_max_null(http_status, failed_at) as http_status
    from failure
    where key in (select key from run_item where run_id = $1)
    group by key
),
item as (            -- one row a judgement: had, failed, or still to be had
    select i.conversation_id, i.rubric, i.key, i.reused, i.inclusion_probability, i.stratum,
           j.rubric_version, j.repeat, j.call_id,
           case when j.key is not null then 'judged' when f.key is not null then 'failed' else 'pending' end as state,
           f.cause, f.detail, f.retryable, f.http_status
    from (select conversation_id, rubric, key, bool_and(reused) as reused,
                 min(inclusion_probability) as inclusion_probability, min(stratum) as stratum
          from run_item where run_id = $1 group by conversation_id, rubric, key) i
    left join judgement j on j.key = i.key
    left join failed f on f.key = i.key
),
subject as (         -- one row a conversation, also where the conversation itself has gone from the database
    select i.conversation_id, c.queue, c.channel, c.language, c.contact_id, c.has_handoff, c.started_at, c.ended_at,
           try_cast(c.attributes ->> '$.synthetic' as boolean) as synthetic, i.n_judged, i.n_open,
           i.stratum, i.inclusion_probability,
           case when max(i.inclusion_probability) over () - min(i.inclusion_probability) over () >= 1e-9
                then dense_rank() over (order by i.stratum nulls first, i.inclusion_probability) end
               as layer      -- who had the same chance; NULL: all of the run had
    from (select conversation_id, count(*) filter (where state = 'judged') as n_judged,
                 count(distinct rubric) - count(distinct rubric) filter (where state = 'judged') as n_open,    -- a repeat is none
                 min(stratum) as stratum, min(inclusion_probability) as inclusion_probability
          from item group by conversation_id) i
    left join conversation c on c.conversation_id = i.conversation_id
),
counted as (         -- of repeated judgements the first one counts, so that a conversation counts once
    select conversation_id, rubric, rubric_version, key
    from item
    where state = 'judged'
    qualify row_number() over (partition by conversation_id, rubric, rubric_version order by repeat, key) = 1
),
answered as (        -- one row a verdict
    select c.conversation_id, c.rubric, c.rubric_version, c.key, k.code, k.position, k.title, k.severity, k.scale,
           v.answer, v.support, v.reasoning,
           k.scale = 'defect' and v.answer = 'present' and v.support = 'verified' as flagged,
           k.scale = 'defect' and v.answer = 'present' and v.support <> 'verified' as unsupported
    from counted c
    join verdict v on v.key = c.key
    join criterion k on k.rubric = c.rubric and k.rubric_version = c.rubric_version and k.code = v.criterion
),
version as (         -- of a rubric without any judgement, the version that the run asked for, else the one used last
    select distinct rubric, rubric_version from counted
    union all
    select r.name, coalesce(any_value(asked.version), arg_max(r.version, r.first_used_at))
    from rubric r
    left join (select unnest(json_transform(rubrics, '[{"name": "VARCHAR", "version": "VARCHAR"}]'), recursive := true)
               from run where run_id = $1) asked on asked.name = r.name
    where r.name in (select rubric from item) and r.name not in (select rubric from counted)
    group by r.name
)
