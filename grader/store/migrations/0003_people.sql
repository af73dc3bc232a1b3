-- Kept free for what is known of people.

select 1;
