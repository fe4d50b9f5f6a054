-- The samples whose text and fill order a report shows: of every task the first and the first that
-- fails, for the first :tasks tasks of a configuration by the hash of their ids.
-- Reads: completions, scores.
WITH samples AS (
  SELECT
    config_id,
    task_id,
    sample_index,
    CASE WHEN plus_status IS NULL THEN passed_base ELSE passed_plus END AS passed
  FROM (SELECT config_id, task_id, sample_index FROM completions)
  FULL JOIN (
    SELECT config_id, task_id, sample_index, plus_status, passed_base, passed_plus FROM scores
  )
  USING (config_id, task_id, sample_index)
),
tasks AS (
  SELECT
    config_id,
    task_id,
    min(sample_index) AS first,
    min(CASE WHEN NOT passed THEN sample_index END) AS first_failed,
    row_number() OVER (PARTITION BY config_id ORDER BY xxhash64(task_id)) AS place
  FROM samples
  GROUP BY config_id, task_id
),
chosen AS (
  SELECT
    config_id,
    task_id,
    explode(array_distinct(array_compact(array(first, first_failed)))) AS sample_index
  FROM tasks
  WHERE place <= :tasks
)
SELECT
  config_id,
  task_id,
  sample_index,
  completions.status,
  completions.error,
  prompt,
  coalesce(text_a, completions.text, scores.text) AS answer,
  text_r AS reasoning,
  token_ids,
  blocks,
  commit_block,
  commit_nfe,
  commit_kind,
  commit_p,
  completions.prompt_ids,
  passes,
  program,
  base_status,
  plus_status,
  outcome,
  message,
  coalesce(base_failed_input, plus_failed_input) AS failed_input,
  base_failed_input IS NOT NULL AS failed_in_base,
  CASE WHEN plus_status IS NULL THEN passed_base ELSE passed_plus END AS passed
FROM chosen
LEFT JOIN completions USING (config_id, task_id, sample_index)
LEFT JOIN scores USING (config_id, task_id, sample_index)
ORDER BY config_id, task_id, sample_index
