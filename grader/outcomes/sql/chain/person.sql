-- The contacts of `subject`, as numbers: millions of rows are sorted by them.

select contact_id, row_number() over ()::integer as person
from (select distinct contact_id from subject where contact_id is not null)
