-- The runs that judged any of this.

select distinct run_id from told order by run_id
