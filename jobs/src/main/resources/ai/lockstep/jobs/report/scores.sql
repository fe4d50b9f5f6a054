-- Verdicts on samples; a report asks for few of them. Reads: scores.
SELECT
  concat_ws(' ', config_id, sample_index, task_id) AS sample,
  config_id,
  task_id,
  sample_index,
  text,
  program,
  base_status,
  plus_status,
  outcome,
  message,
  coalesce(base_failed_input, plus_failed_input) AS failed_input,
  base_failed_input IS NOT NULL AS failed_in_base,
  CASE WHEN plus_status IS NULL THEN passed_base ELSE passed_plus END AS passed
FROM scores
