-- Rows whose answer block ended before its first token, with what was reasoned instead.
-- Reads: completions.
SELECT
  config_id,
  task_id,
  sample_index,
  nfe,
  tokens_r,
  left(text_r, 80) AS reasoning
FROM completions
WHERE empty_answer AND status = 'ok'
ORDER BY config_id, task_id, sample_index
