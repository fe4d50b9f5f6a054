"""Rewards of lockstep's rollouts for verl.

custom_reward_function.path=reward.py custom_reward_function.name=compute_score

The responses in this folder's Parquet were judged in lockstep's sandbox when they were rolled out;
their rewards are looked up, and no program is run here. A response that was not rolled out has no
reward: judge it with `submit/lockstep score`.
"""

import hashlib
import json


def compute_score(data_source, solution_str, ground_truth, extra_info=None):
    """Returns the reward that a response of the rollouts earned."""
    group = json.loads(ground_truth)
    digest = hashlib.sha256(solution_str.encode("utf-8")).hexdigest()
    try:
        return float(group["rewards"][group["sha256"].index(digest)])
    except ValueError:
        raise ValueError(
            f"{group['task_id']} ({data_source}): this response is not among the rollouts, so it "
            "has no reward. Judge new responses with submit/lockstep score."
        ) from None
