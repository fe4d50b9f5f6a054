-- How far pass@1 moves by chance: configurations that differ in the seed only, and every sample
-- index of each, count as repetitions. Reads: runs, scores.
WITH settings AS (
  SELECT config_id, regexp_replace(config, '"seed":-?[0-9]+', '"seed":*') AS setting
  FROM runs
),
repetitions AS (
  SELECT
    config_id,
    sample_index,
    count_if(passed_base) / count(*) AS base,
    count_if(passed_plus) / count(*) AS plus
  FROM scores
  GROUP BY config_id, sample_index
)
SELECT
  min(config_id) AS config_id,
  count(*) AS repetitions,
  avg(base) AS base_mean,
  stddev_samp(base) AS base_deviation,
  avg(plus) AS plus_mean,
  stddev_samp(plus) AS plus_deviation,
  min(plus) AS plus_lowest,
  max(plus) AS plus_highest
FROM repetitions
JOIN settings USING (config_id)
GROUP BY setting
ORDER BY config_id
