-- Conversations that no figure of episodes counts, and why. Those that are part of an episode that the customer began count
-- with it.

select case when c.excluded is not null then 'spam, tests, surveys and outbound'
            when c.initiated_by = 'business' then 'begun by the business'
            else 'nobody known speaks in them' end as why,
       count(*) as n
from conversation c
where c.excluded is not null or c.initiated_by is distinct from 'customer'
group by why
order by n desc, why
