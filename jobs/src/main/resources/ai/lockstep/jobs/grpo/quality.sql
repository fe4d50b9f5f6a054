-- Whether the rollouts are fit to train on: one row, none without samples. Reads: grpo.
WITH groups AS (
  SELECT group_id, any_value(zero_spread) AS zero_spread
  FROM grpo
  GROUP BY group_id
),
group_sums AS (
  SELECT count(*) AS groups, count_if(zero_spread) / count(*) AS zero_spread_share
  FROM groups
)
SELECT
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
CROSS JOIN group_sums
GROUP BY groups, zero_spread_share
