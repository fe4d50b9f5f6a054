-- What decoding has cost so far, one row a configuration: passes of rows, and the time in which a
-- replica had rows of it. Rows of one model and one kind of hardware count; those of a command that
-- was killed have no row in runs yet, and count too.
-- Reads: completions, runs. Parameters: model_digest, hardware.
WITH measured AS (
  SELECT
    completions.config_id,
    replica,
    nfe,
    unix_micros(completions.started_at) AS started,
    unix_micros(completions.finished_at) AS finished
  FROM completions
  LEFT JOIN runs ON runs.config_id = completions.config_id
  WHERE status = 'ok'
    AND completions.model_digest = :model_digest
    AND coalesce(get_json_object(config, '$.hardware.name'), :hardware) = :hardware
),
spans AS (
  SELECT
    *,
    max(finished) OVER (
      PARTITION BY replica
      ORDER BY started, finished
      ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
    ) AS covered_until
  FROM measured
)
SELECT
  config_id,
  count(*) AS rows,
  sum(nfe) AS passes,
  sum(greatest(finished - greatest(started, coalesce(covered_until, started)), 0)) / 1e6
    AS replica_seconds
FROM spans
GROUP BY config_id
