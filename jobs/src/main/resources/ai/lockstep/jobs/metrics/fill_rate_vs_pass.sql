-- Whether rows that were filled faster fail more often: each configuration's rows in four equal
-- groups, slowest first. Reads: completions, scores.
WITH quarters AS (
  SELECT
    config_id,
    fill_rate,
    passed_base,
    passed_plus,
    ntile(4) OVER (PARTITION BY config_id ORDER BY fill_rate, task_id, sample_index) AS quarter
  FROM completions
  JOIN scores USING (config_id, task_id, sample_index)
  WHERE fill_rate IS NOT NULL
)
SELECT
  config_id,
  quarter,
  count(*) AS samples,
  min(fill_rate) AS fill_rate_from,
  max(fill_rate) AS fill_rate_to,
  count_if(passed_base) / count(*) AS base,
  count_if(passed_plus) / count(*) AS plus
FROM quarters
GROUP BY config_id, quarter
ORDER BY config_id, quarter
