-- What decoding cost and gave, one row a configuration. Reads: completions.
WITH spans AS (
  SELECT
    config_id,
    unix_micros(started_at) AS started,
    unix_micros(finished_at) AS finished,
    max(unix_micros(finished_at)) OVER (
      PARTITION BY config_id
      ORDER BY started_at, finished_at
      ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
    ) AS covered_until
  FROM completions
  WHERE status = 'ok'
),
durations AS (
  -- The time in which at least one row was being decoded: pauses between resumed runs do not count.
  SELECT
    config_id,
    sum(greatest(finished - greatest(started, coalesce(covered_until, started)), 0)) / 1e6
      AS decode_seconds
  FROM spans
  GROUP BY config_id
),
sums AS (
  SELECT
    config_id,
    count_if(status <> 'ok') AS failed_rows,
    count_if(empty_answer AND status = 'ok') / nullif(count_if(status = 'ok'), 0)
      AS empty_answer_rate,
    avg(fill_rate) AS fill_rate,
    avg(fill_rate_r) AS fill_rate_r,
    avg(fill_rate_a) AS fill_rate_a,
    avg(ar_ness_local) AS ar_ness_local,
    avg(ar_ness_global) AS ar_ness_global,
    sum(committed_r + committed_a) AS committed,
    sum(committed_r + committed_a) / nullif(sum(nfe), 0) AS tokens_per_pass,
    sum(forced_commits) / nullif(sum(committed_r + committed_a), 0) AS forced_commit_rate,
    avg(CASE WHEN status = 'ok' THEN nfe END) AS passes_per_row,
    sum(tokens_r + tokens_a) AS tokens
  FROM completions
  GROUP BY config_id
)
SELECT
  config_id,
  failed_rows,
  empty_answer_rate,
  fill_rate,
  fill_rate_r,
  fill_rate_a,
  tokens_per_pass,
  forced_commit_rate,
  ar_ness_local,
  ar_ness_global,
  passes_per_row,
  tokens / nullif(decode_seconds, 0) AS tokens_per_second,
  committed / nullif(decode_seconds, 0) AS raw_tokens_per_second,
  decode_seconds
FROM sums
LEFT JOIN durations USING (config_id)
