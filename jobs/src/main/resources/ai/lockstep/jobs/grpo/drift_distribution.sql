-- How many samples have each reward, here and in an earlier rollout, lowest first. Reads: grpo,
-- earlier. Parameters: one weight a part.
WITH rewards AS (
  SELECT round(reward, 6) AS reward, 1 AS now, 0 AS before FROM grpo
  UNION ALL
  SELECT
    round(
      :plus * reward_plus
        + :base * reward_base
        + :tests * reward_tests
        + :format * reward_format
        + :length * reward_length
        + :tamper * reward_tamper,
      6
    ) AS reward,
    0 AS now,
    1 AS before
  FROM earlier
)
SELECT reward, sum(now) AS now, sum(before) AS before FROM rewards GROUP BY reward ORDER BY reward
