-- verl's prompt table, one row a task, with the samples of its group in parallel lists behind it;
-- lists of lists are parallel to response_ids. Reads: grpo. Parameter: drop_zero_spread.
WITH groups AS (
  SELECT
    group_id,
    task_id,
    any_value(input_index) AS input_index,
    any_value(dataset) AS dataset,
    any_value(prompt) AS prompt,
    any_value(prompt_ids) AS prompt_ids,
    array_sort(
      collect_list(
        struct(
          config_id,
          sample_index,
          response,
          reward,
          advantage,
          token_ids,
          loss_mask,
          commit_nfe,
          commit_p,
          commit_logp
        )
      )
    ) AS samples
  FROM grpo
  WHERE NOT (zero_spread AND :drop_zero_spread)
  GROUP BY group_id, task_id
)
SELECT
  concat('lockstep/', dataset) AS data_source,
  array(named_struct('role', 'user', 'content', prompt)) AS prompt,
  'code' AS ability,
  named_struct(
    'style', 'rule',
    'ground_truth', to_json(
      named_struct(
        'task_id', task_id,
        'sha256', transform(samples, sample -> sha2(sample.response, 256)),
        'rewards', transform(samples, sample -> sample.reward)
      )
    )
  ) AS reward_model,
  named_struct(
    'split', 'train',
    'index', CAST(input_index AS BIGINT),
    'task_id', task_id,
    'group_id', group_id
  ) AS extra_info,
  'lockstep_replay' AS agent_name,
  prompt_ids,
  transform(samples, sample -> sample.response) AS responses,
  transform(samples, sample -> sample.reward) AS rewards,
  transform(samples, sample -> sample.advantage) AS advantages,
  transform(samples, sample -> sample.token_ids) AS response_ids,
  transform(samples, sample -> sample.loss_mask) AS loss_masks,
  transform(samples, sample -> sample.commit_nfe) AS unmask_order,
  transform(samples, sample -> sample.commit_p) AS confidences,
  transform(samples, sample -> sample.commit_logp) AS log_probs,
  input_index AS place
FROM groups
