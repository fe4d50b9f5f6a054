"""Replays lockstep's rollouts in verl in place of generation.

actor_rollout_ref.rollout.agent.agent_loop_config_path=agent_loop.yaml
actor_rollout_ref.rollout.agent.num_workers=1
actor_rollout_ref.rollout.n=<samples a task>

The rows' agent_name chooses this loop. One worker, so that the n requests of a task get its n
samples in turn. The log-probabilities that verl then computes are those of an autoregressive model:
a loss for a masked-diffusion model must rebuild its states from unmask_order instead.
"""

import collections

from verl.experimental.agent_loop.agent_loop import AgentLoopBase, AgentLoopOutput

_served = collections.Counter()


class LockstepReplay(AgentLoopBase):
    async def run(self, sampling_params, **row):
        group = row["extra_info"]["group_id"]
        sample = _served[group] % len(row["rewards"])
        _served[group] += 1
        return AgentLoopOutput(
            prompt_ids=[int(i) for i in row["prompt_ids"]],
            response_ids=[int(i) for i in row["response_ids"][sample]],
            response_mask=[int(m) for m in row["loss_masks"][sample]],
            reward_score=float(row["rewards"][sample]),
            num_turns=2,
            metrics={},
        )
