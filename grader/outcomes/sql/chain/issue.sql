-- What is known of the issue of each episode that stands in a pair: judged reason, the source's reason, orders and tickets;
-- but that a helpdesk's conversation was cut at a return (`continues`) says nothing of the issue.

with wanted as (select first_id from pair union select back_id from pair),
referred as (
    select conversation_id, list(distinct kind || chr(31) || value) as refs, list(distinct kind) as ref_kinds
    from reference where kind <> 'continues' group by conversation_id
)
select e.first_id,
       arg_min(j.reason, n.place) filter (j.reason is not null) as judged_reason,
       arg_min(trim(c.reason), n.place) filter (nullif(trim(c.reason), '') is not null) as source_reason,
       list_distinct(flatten(list(r.refs) filter (r.refs is not null))) as refs,
       list_distinct(flatten(list(r.ref_kinds) filter (r.ref_kinds is not null))) as ref_kinds
from wanted w
join episode e on e.first_id = w.first_id
join numbered n on n.person = e.person and n.episode = e.episode
join conversation c on c.rowid = n.id
left join judged_reason j on j.id = n.id
left join referred r on r.conversation_id = c.conversation_id
group by e.first_id
