-- What judging a task came to under every configuration. Reads: scores.
SELECT
  config_id,
  task_id,
  xxhash64(task_id) AS hash,
  min(input_index) AS place,
  min(sample_index) AS first,
  min(
    CASE
      WHEN NOT CASE WHEN plus_status IS NULL THEN passed_base ELSE passed_plus END
      THEN sample_index
    END
  ) AS first_failed,
  count(*) AS judged,
  count_if(passed_base) AS base,
  count_if(passed_plus) AS plus,
  count(plus_status) AS plus_judged,
  mode(CASE WHEN NOT passed_plus THEN outcome END) AS failure
FROM scores
GROUP BY config_id, task_id
