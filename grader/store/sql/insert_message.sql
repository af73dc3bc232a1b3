-- Messages as their conversation wrote them, one row each. A time in UTC ends in Z, else in its offset, which is taken off.
-- What few messages have stands together in `more`: DuckDB reads a JSON object the faster the fewer fields are looked for.
insert into message (
    conversation_id, number, role, kind, text, sent_at, sent_offset_minutes, tool_calls, tool_call_id, name, is_error,
    attributes
)
select conversation_id, number, m.role, m.kind, m.text,
       case when east = 0 then m.at::timestamp else left(m.at, -6)::timestamp - to_minutes(east) end, east,
       m.more -> '$.tool_calls', m.more ->> '$.tool_call_id', m.more ->> '$.name', (m.more ->> '$.is_error')::boolean,
       m.more -> '$.attributes'
from (
    select *, case when m.at[-1] = 'Z' then 0
                   else (m.at[-6] || '1')::integer * (60 * m.at[-5:-4]::integer + m.at[-2:]::integer) end as east
    from (
        select r.conversation_id, unnest(r.messages) as m,
               r.before + unnest(range(1, len(r.messages) + 1)) as number
        from (select unnest(from_json(?, ?)) as r)
    )
)
