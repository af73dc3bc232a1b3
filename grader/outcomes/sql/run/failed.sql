-- What failed of the run, with the latest cause. $1: run_id.

select key, arg_max(cause, failed_at) as cause, arg_max(detail, failed_at) as detail,
       arg_max(retryable, failed_at) as retryable, arg_max_null(http_status, failed_at) as http_status
from failure
where key in (select key from run_item where run_id = $1)
group by key
