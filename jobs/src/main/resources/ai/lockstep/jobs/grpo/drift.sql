-- Mean reward and samples of every task, here and in an earlier rollout, whose parts are weighted as
-- those here. Reads: grpo, earlier. Parameters: one weight a part.
WITH before AS (
  SELECT
    task_id,
    avg(
      :plus * reward_plus
        + :base * reward_base
        + :tests * reward_tests
        + :format * reward_format
        + :length * reward_length
        + :tamper * reward_tamper
    ) AS before
  FROM earlier
  GROUP BY task_id
),
now AS (
  SELECT task_id, avg(reward) AS now FROM grpo GROUP BY task_id
)
SELECT task_id, before, now FROM before FULL OUTER JOIN now USING (task_id) ORDER BY task_id
