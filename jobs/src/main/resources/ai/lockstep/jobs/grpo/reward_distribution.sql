-- How many samples have each reward, highest first. Reads: grpo.
SELECT config_id, round(reward, 6) AS reward, count(*) AS samples
FROM grpo
GROUP BY config_id, round(reward, 6)
ORDER BY config_id, reward DESC
