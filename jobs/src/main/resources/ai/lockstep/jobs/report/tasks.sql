-- What every task came to under every configuration. Reads: completions, scores.
WITH decoded AS (
  SELECT
    config_id,
    task_id,
    min(input_index) AS place,
    count(*) AS decoded,
    count_if(status <> 'ok') AS failed,
    count_if(empty_answer AND status = 'ok') AS empty,
    sum(nfe) AS passes,
    sum(committed_r + committed_a) AS committed,
    sum(forced_commits) AS forced,
    sum(fill_rate) AS fill_rate,
    count(fill_rate) AS filled
  FROM completions
  GROUP BY config_id, task_id
),
judged AS (
  SELECT
    config_id,
    task_id,
    min(input_index) AS place,
    count(*) AS judged,
    count_if(passed_base) AS base,
    count_if(passed_plus) AS plus,
    count(plus_status) AS plus_judged,
    mode(CASE WHEN NOT passed_plus THEN outcome END) AS failure
  FROM scores
  GROUP BY config_id, task_id
)
SELECT
  config_id,
  task_id,
  coalesce(decoded.place, judged.place) AS place,
  coalesce(decoded, 0L) AS decoded,
  coalesce(failed, 0L) AS failed,
  coalesce(empty, 0L) AS empty,
  coalesce(passes, 0L) AS passes,
  coalesce(committed, 0L) AS committed,
  coalesce(forced, 0L) AS forced,
  coalesce(fill_rate, 0D) AS fill_rate,
  coalesce(filled, 0L) AS filled,
  coalesce(judged, 0L) AS judged,
  coalesce(base, 0L) AS base,
  coalesce(plus, 0L) AS plus,
  coalesce(plus_judged, 0L) AS plus_judged,
  failure
FROM decoded
FULL JOIN judged USING (config_id, task_id)
ORDER BY place, task_id, config_id
