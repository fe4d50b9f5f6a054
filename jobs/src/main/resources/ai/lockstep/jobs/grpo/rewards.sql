-- What each sample is worth: every part of the reward in a column of its own, and their weighted
-- sum. A forged verdict is worth no test. Samples that were not decoded or not judged have no
-- reward and are left out. Reads: completions, scores. Parameters: one weight a part.
WITH parts AS (
  SELECT
    completions.*,
    text AS response,
    scores.passed_base,
    scores.passed_plus,
    scores.outcome,
    scores.tampered,
    scores.program_sha256,
    CAST(scores.passed_plus AND NOT scores.tampered AS DOUBLE) AS reward_plus,
    CAST(scores.passed_base AND NOT scores.tampered AS DOUBLE) AS reward_base,
    CASE
      WHEN scores.tampered THEN 0.0D
      ELSE coalesce(
        (scores.base_passed + scores.plus_passed)
          / nullif(scores.base_tests + scores.plus_tests, 0),
        0.0D
      )
    END AS reward_tests,
    -- A decoder without R has nothing to reason in.
    CAST(
      coalesce(completions.text_a, '') RLIKE r'\S'
        AND coalesce(completions.text_r, 'none') RLIKE r'\S'
        AND scores.extraction NOT IN ('empty', 'no_entry_point')
        AND scores.outcome <> 'syntax_error'
      AS DOUBLE
    ) AS reward_format,
    1.0D - coalesce(
      (completions.tokens_r + completions.tokens_a)
        / nullif(aggregate(completions.blocks, 0, (sum, block) -> sum + block.length), 0),
      1.0D
    ) AS reward_length,
    CAST(scores.tampered AS DOUBLE) AS reward_tamper
  FROM (
    SELECT completions.* EXCEPT (passes, trace)
    FROM completions
    WHERE status = 'ok'
  ) AS completions
  JOIN (
    SELECT scores.* EXCEPT (run_id, dataset, input_index, text)
    FROM scores
    WHERE outcome <> 'sandbox_error'
  ) AS scores USING (config_id, task_id, sample_index)
)
SELECT
  parts.*,
  :plus * reward_plus
    + :base * reward_base
    + :tests * reward_tests
    + :format * reward_format
    + :length * reward_length
    + :tamper * reward_tamper AS reward
FROM parts
