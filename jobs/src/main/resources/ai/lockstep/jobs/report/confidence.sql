-- How often samples pass, by the probabilities of the answer's tokens when they were committed:
-- measure 'token' counts tokens by their own, 'answer' counts samples by their least likely token.
-- Only tokens that the model chose, outside R and up to the first end token. Reads: completions,
-- scores.
WITH answers AS (
  SELECT
    config_id,
    CASE WHEN plus_status IS NULL THEN passed_base ELSE passed_plus END AS passed,
    transform(
      filter(
        arrays_zip(commit_p, commit_block, loss_mask),
        token ->
          token.loss_mask
            AND NOT isnan(token.commit_p)
            AND blocks[token.commit_block].name <> 'R'
      ),
      token -> token.commit_p
    ) AS probabilities
  FROM completions
  JOIN scores USING (config_id, task_id, sample_index)
  WHERE status = 'ok'
),
measured AS (
  SELECT config_id, passed, 'token' AS measure, explode(probabilities) AS p
  FROM answers
  UNION ALL
  SELECT config_id, passed, 'answer' AS measure, array_min(probabilities) AS p
  FROM answers
  WHERE size(probabilities) > 0
)
SELECT
  config_id,
  measure,
  -- Bins are narrow near 1, where most tokens are.
  CASE
    WHEN p < 0.3 THEN 0
    WHEN p < 0.5 THEN 1
    WHEN p < 0.7 THEN 2
    WHEN p < 0.8 THEN 3
    WHEN p < 0.9 THEN 4
    WHEN p < 0.95 THEN 5
    WHEN p < 0.99 THEN 6
    WHEN p < 0.999 THEN 7
    ELSE 8
  END AS bin,
  count(*) AS counted,
  count_if(passed) AS passed
FROM measured
GROUP BY 1, 2, 3
ORDER BY 1, 2, 3
