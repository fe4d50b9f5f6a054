-- How many samples have each reward, highest first. Reads: grpo.
SELECT round(reward, 6) AS reward, count(*) AS samples
FROM grpo
GROUP BY round(reward, 6)
ORDER BY reward DESC
