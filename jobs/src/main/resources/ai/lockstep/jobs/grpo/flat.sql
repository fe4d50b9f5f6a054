-- One row a sample, as TRL and OpenRLHF name things. Reads: grpo. Parameter: drop_zero_spread.
SELECT
  prompt,
  response AS completion,
  reward,
  advantage,
  sample_id,
  task_id,
  struct(input_index, sample_index) AS place
FROM grpo
WHERE NOT (zero_spread AND :drop_zero_spread)
