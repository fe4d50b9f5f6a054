-- Speed against quality, fastest first; a configuration is on the frontier when no other is at
-- least as good in both and better in one. Reads: metrics.
SELECT
  config_id,
  tokens_per_pass,
  pass_at_1_base,
  pass_at_1_plus,
  NOT EXISTS (
    SELECT 1
    FROM metrics AS other
    WHERE other.tokens_per_pass >= one.tokens_per_pass
      AND other.pass_at_1_plus >= one.pass_at_1_plus
      AND (
        other.tokens_per_pass > one.tokens_per_pass
        OR other.pass_at_1_plus > one.pass_at_1_plus
      )
  ) AS on_frontier
FROM metrics AS one
WHERE tokens_per_pass IS NOT NULL AND pass_at_1_plus IS NOT NULL
ORDER BY tokens_per_pass DESC, config_id
