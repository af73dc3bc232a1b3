-- What happened after these conversations. $2: their ids.

select r.conversation_id, r.clock_at, r.next_at, r.next_id, r.same_issue_at, r.unknown_issue_at, r.basis, r.data_end,
       o.csat, o.csat_comment
from recontact r
left join (select conversation_id, arg_max(csat, coalesce(observed_at, timestamp '0001-01-01')) as csat,
                  arg_max(csat_comment, coalesce(observed_at, timestamp '0001-01-01')) as csat_comment
           from outcome group by conversation_id) o using (conversation_id)
where r.conversation_id in (select unnest($2::varchar[]))
