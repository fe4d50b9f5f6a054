-- The twenty tasks that the fewest samples solve, over all configurations, and how they fail most
-- often. Reads: scores.
SELECT
  task_id,
  count(*) AS samples,
  count_if(passed_base) AS base,
  count_if(passed_plus) AS plus,
  mode(CASE WHEN NOT passed_plus THEN outcome END) AS usual_failure
FROM scores
GROUP BY task_id
ORDER BY count_if(passed_plus) / count(*), count_if(passed_base) / count(*), task_id
LIMIT 20
