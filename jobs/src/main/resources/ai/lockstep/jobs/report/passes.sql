-- What the n-th pass of a sample commits, by the blocks it targets. Reads: steps.
SELECT
  config_id,
  nfe,
  blocks,
  count(*) AS passes,
  sum(committed) AS committed,
  sum(forced) AS forced
FROM steps
GROUP BY config_id, nfe, blocks
ORDER BY config_id, nfe, blocks
