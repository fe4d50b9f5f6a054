-- What decoding a task came to under every configuration. Reads: completions.
SELECT
  config_id,
  task_id,
  xxhash64(task_id) AS hash,
  min(input_index) AS place,
  min(sample_index) AS first,
  count(*) AS decoded,
  count_if(status <> 'ok') AS failed,
  count_if(empty_answer AND status = 'ok') AS empty,
  sum(nfe) AS passes,
  sum(committed_r + committed_a) AS committed,
  sum(forced_commits) AS forced,
  sum(fill_rate) AS fill_rate,
  count(fill_rate) AS filled
FROM completions
GROUP BY config_id, task_id
