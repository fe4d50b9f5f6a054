-- How each sample's reward compares with its group's: the samples of a group. A group of one, or of equal rewards, says nothing: its advantages are 0.
-- Reads: rewards. Parameters: advantage (grpo, dr_grpo, rloo), clip,
-- group (config: a task under one configuration; task: under all of them).
WITH named AS (
  -- Only what is compared: samples with all their columns are shuffled once, to be joined.
  SELECT
    config_id,
    task_id,
    sample_index,
    reward,
    -- Two hashes, 96 bits, in the place of the tokens: samples of a task that agree are equal.
    xxhash64(token_ids) AS tokens_hash,
    hash(token_ids) AS tokens_other_hash,
    CASE :group WHEN 'task' THEN task_id ELSE concat(config_id, '/', task_id) END AS group_id
  FROM rewards
),
groups AS (
  SELECT
    named.*,
    count(*) OVER task AS group_samples,
    avg(reward) OVER task AS group_mean,
    coalesce(stddev_samp(reward) OVER task, 0.0D) AS group_std,
    max(reward) OVER task - min(reward) OVER task <= 1e-9 AS zero_spread,
    min(sample_index) OVER (
      PARTITION BY config_id, task_id, tokens_hash, tokens_other_hash
    ) AS first_equal
  FROM named
  WINDOW task AS (PARTITION BY group_id)
),
advantages AS (
  SELECT
    groups.* EXCEPT (first_equal, reward, tokens_hash, tokens_other_hash),
    CASE WHEN first_equal < sample_index THEN first_equal END AS duplicate_of,
    CASE WHEN zero_spread THEN 0.0D ELSE (reward - group_mean) / (group_std + 1e-6D) END
      AS advantage_grpo,
    CASE WHEN zero_spread THEN 0.0D ELSE reward - group_mean END AS advantage_dr_grpo,
    -- The mean of the others is (n mean - r) / (n - 1).
    CASE
      WHEN zero_spread THEN 0.0D
      ELSE reward - (group_samples * group_mean - reward) / (group_samples - 1)
    END AS advantage_rloo
  FROM groups
)
SELECT
  rewards.*,
  advantages.* EXCEPT (config_id, task_id, sample_index),
  greatest(
    -:clip,
    least(
      :clip,
      CASE :advantage
        WHEN 'grpo' THEN advantage_grpo
        WHEN 'dr_grpo' THEN advantage_dr_grpo
        WHEN 'rloo' THEN advantage_rloo
      END
    )
  ) AS advantage
FROM rewards
JOIN advantages USING (config_id, task_id, sample_index)
