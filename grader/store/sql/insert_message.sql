-- Messages as their conversation wrote them (JSON in the manner of the record), one row each. A time keeps its writing: in
-- UTC it ends in Z, else in its offset, which is taken off; nothing in attributes and calls is NULL.
insert into message (
    conversation_id, number, role, kind, text, sent_at, sent_offset_minutes, tool_calls, tool_call_id, name, is_error,
    attributes
)
select conversation_id, number, m.role, m.kind, m.text,
       case when east = 0 then m.at::timestamp else left(m.at, -6)::timestamp - to_minutes(east) end, east,
       nullif(m.tool_calls::varchar, '[]')::json, m.tool_call_id, m.name, m.is_error,
       nullif(m.attributes::varchar, '{}')::json
from (
    select *, case when m.at[-1] = 'Z' then 0
                   else (m.at[-6] || '1')::integer * (60 * m.at[-5:-4]::integer + m.at[-2:]::integer) end as east
    from (
        select r.conversation_id, unnest(r.messages) as m,
               r.before + unnest(range(1, len(r.messages) + 1)) as number
        from (select unnest(from_json(?, ?)) as r)
    )
)
