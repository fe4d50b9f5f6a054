-- Accuracy under parallelism of each decoder of a run: the area under pass@1 (plus, in percent) over
-- tokens per pass, in which accuracy that was lost to speed counts less. Reads: runs, metrics.
WITH points AS (
  SELECT
    concat_ws(
      ' ', get_json_object(config, '$.decode.name'), get_json_object(config, '$.decode.mode')
    ) AS decoder,
    tokens_per_pass AS speed,
    100 * pass_at_1_plus AS accuracy
  FROM metrics
  JOIN runs USING (config_id)
  WHERE tokens_per_pass IS NOT NULL AND pass_at_1_plus IS NOT NULL
),
judged AS (
  SELECT
    decoder,
    speed,
    accuracy,
    -- The best accuracy of all decoders; at it and above, nothing is taken off.
    accuracy
      * least(exp(-3 * (1 - accuracy / nullif((SELECT max(accuracy) FROM points), 0))), 1)
      AS weighted,
    -- What is over five points worse than the slowest does not count.
    accuracy >= first_value(accuracy) OVER (PARTITION BY decoder ORDER BY speed, accuracy DESC) - 5
      AS counts,
    count(*) OVER (PARTITION BY decoder) AS configurations
  FROM points
),
strips AS (
  SELECT
    decoder,
    configurations,
    speed,
    accuracy,
    weighted,
    lag(speed) OVER slowest_first AS speed_before,
    lag(weighted) OVER slowest_first AS weighted_before
  FROM judged
  WHERE counts
  WINDOW slowest_first AS (PARTITION BY decoder ORDER BY speed, accuracy DESC)
)
SELECT
  decoder,
  max(configurations) AS configurations,
  count(*) AS counted,
  max(speed) AS fastest,
  sum(
    CASE
      WHEN speed_before IS NULL THEN speed * accuracy
      ELSE (speed - speed_before) * coalesce(weighted + weighted_before, 0) / 2
    END
  ) AS aup
FROM strips
GROUP BY decoder
ORDER BY aup DESC, decoder
