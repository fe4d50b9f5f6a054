-- Samples and passes of every task. Reads: scores.
SELECT
  config_id,
  task_id,
  count(*) AS samples,
  count_if(passed_base) AS base,
  count_if(passed_plus) AS plus,
  count(plus_status) AS plus_judged,
  count_if(tampered) AS tampered,
  count_if(outcome = 'sandbox_error') AS unjudged
FROM scores
GROUP BY config_id, task_id
ORDER BY config_id, task_id
