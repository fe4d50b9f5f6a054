-- How much was committed without meeting a threshold, in right and in wrong samples.
-- Reads: completions, scores.
SELECT
  config_id,
  passed_plus,
  count(*) AS samples,
  sum(committed_r + committed_a) AS committed,
  sum(forced_commits) AS forced,
  sum(forced_commits) / nullif(sum(committed_r + committed_a), 0) AS forced_share,
  sum(forced_passes) / nullif(sum(nfe), 0) AS forced_pass_share
FROM completions
JOIN scores USING (config_id, task_id, sample_index)
GROUP BY config_id, passed_plus
ORDER BY config_id, passed_plus
