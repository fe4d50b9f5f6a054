-- Whether the rollouts are fit to train on, one row a configuration. Reads: grpo.
WITH groups AS (
  SELECT config_id, task_id, any_value(zero_spread) AS zero_spread, max(reward) AS best
  FROM grpo
  GROUP BY config_id, task_id
),
group_sums AS (
  SELECT
    config_id,
    count(*) AS groups,
    count_if(zero_spread) / count(*) AS zero_spread_share
  FROM groups
  GROUP BY config_id
)
SELECT
  config_id,
  groups,
  count(*) AS samples,
  min(reward) AS reward_min,
  avg(reward) AS reward_mean,
  max(reward) AS reward_max,
  coalesce(stddev_samp(reward), 0.0D) AS reward_std,
  avg(reward_plus) AS plus,
  avg(reward_base) AS base,
  avg(reward_tests) AS tests,
  avg(reward_format) AS format,
  avg(reward_length) AS length,
  avg(reward_tamper) AS tamper_rate,
  zero_spread_share,
  count(duplicate_of) AS duplicates,
  count_if(NOT replayable) AS not_replayable
FROM grpo
JOIN group_sums USING (config_id)
GROUP BY config_id, groups, zero_spread_share
