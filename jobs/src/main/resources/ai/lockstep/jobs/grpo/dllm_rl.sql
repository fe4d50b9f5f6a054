-- What dLLM-RL trains on, one object a sample: its reward is normalised within the group, so it is
-- our advantage; step_map is the pass that committed each token of the response, 0 for markers.
-- Tokens behind a block's first end token are not part of the text, nor of the two lists.
-- Reads: grpo. Parameter: drop_zero_spread.
WITH kept AS (
  SELECT
    *,
    filter(
      sequence(0, size(token_ids) - 1),
      i -> commit_block[i] < 0
        OR i + size(prompt_ids) - blocks[commit_block[i]].start
          < IF(blocks[commit_block[i]].name = 'R', tokens_r, tokens_a)
    ) AS indexes
  FROM grpo
  WHERE NOT (zero_spread AND :drop_zero_spread)
)
SELECT
  to_json(
    named_struct(
      'prompt', prompt,
      'response', response,
      'reward', advantage,
      'step_map', transform(indexes, i -> CAST(greatest(commit_nfe[i], 0) AS INT)),
      'response_ids', transform(indexes, i -> token_ids[i]),
      'raw_reward', reward,
      'correctness', passed_plus,
      'sample_id', sample_id
    )
  ) AS value,
  struct(input_index, sample_index) AS place
FROM kept
