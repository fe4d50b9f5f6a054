-- What the passes that target each block commit. Reads: steps.
SELECT
  config_id,
  blocks,
  count(*) AS passes,
  sum(committed) AS committed,
  sum(committed) / count(*) AS tokens_per_pass,
  sum(committed) / nullif(sum(masks_before), 0) AS committed_share_of_masks,
  sum(forced) / nullif(sum(committed), 0) AS forced_share,
  sum(mean_p * committed) / nullif(sum(CASE WHEN mean_p IS NOT NULL THEN committed END), 0)
    AS mean_p
FROM steps
GROUP BY config_id, blocks
ORDER BY config_id, blocks
