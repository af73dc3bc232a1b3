-- Every identity takes the smallest label among those that it is shown with, and the label of its label. Repeated until
-- nothing changes.
create or replace temp table next_label as
with of_conversation as (
    select conversation_id, min(label) as label from edge join label using (value) group by conversation_id
),
smallest as (
    select e.value, min(c.label) as label from edge as e join of_conversation as c using (conversation_id) group by e.value
)
select s.value, least(s.label, l.label) as label from smallest as s join label as l on l.value = s.label;
