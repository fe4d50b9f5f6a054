-- Text and fill order of samples; a report asks for few of them. Reads: completions.
SELECT
  concat_ws(' ', config_id, sample_index, task_id) AS sample,
  config_id,
  task_id,
  sample_index,
  status,
  error,
  prompt,
  coalesce(text_a, text) AS answer,
  text_r AS reasoning,
  token_ids,
  blocks,
  commit_block,
  commit_nfe,
  commit_kind,
  commit_p,
  prompt_ids,
  passes
FROM completions
