"""Reads the rollouts in this folder the way verl's RLHFDataset does, and checks what verl relies on.

    python3 check.py [FILE.parquet ...]      # pip install datasets; without arguments: all here

Each file goes through datasets.load_dataset("parquet"), the files are joined, and every row must
have what verl takes from it: chat messages, a data source, a ground truth that reward.py can look
every response up in, an index, and one entry a sample in each of the lists for the agent loop.
"""

import glob
import os
import sys
import tempfile

import reward

A_SAMPLE = ("responses", "rewards", "advantages", "response_ids", "loss_masks")
A_TOKEN = ("loss_masks", "unmask_order", "confidences", "log_probs")


def rows(files):
    try:
        import datasets
    except ImportError:
        sys.exit("Cannot read as verl does: no module datasets. Run pip install datasets.")
    with tempfile.TemporaryDirectory() as cache:
        parts = [datasets.load_dataset("parquet", data_files=f, cache_dir=cache)["train"] for f in files]
        yield from datasets.concatenate_datasets(parts)


def faults(row):
    """What verl would stumble over, in words."""
    for message in row["prompt"]:
        if set(message) != {"role", "content"} or not isinstance(message["content"], str):
            yield f"prompt holds {message}, which is no chat message"
    for key in ("data_source", "ability", "agent_name"):
        if not isinstance(row[key], str):
            yield f"{key} is {row[key]!r}, not text"
    if row["reward_model"]["style"] != "rule":
        yield f"reward_model.style is {row['reward_model']['style']!r}, not 'rule'"
    if not isinstance(row["extra_info"]["index"], int):
        yield f"extra_info.index is {row['extra_info']['index']!r}, not a number"
    samples = len(row["responses"])
    for key in A_SAMPLE:
        if len(row[key]) != samples:
            yield f"{key} has {len(row[key])} entries for {samples} samples"
    for sample, ids in enumerate(row["response_ids"]):
        for key in A_TOKEN:
            if len(row[key][sample]) != len(ids):
                yield f"{key}[{sample}] has {len(row[key][sample])} entries for {len(ids)} tokens"
    truth = row["reward_model"]["ground_truth"]
    for response, expected in zip(row["responses"], row["rewards"]):
        found = reward.compute_score(row["data_source"], response, truth, row["extra_info"])
        if abs(found - expected) > 1e-6:
            yield f"reward.py gives {found}, the table {expected}"


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    files = sys.argv[1:] or sorted(glob.glob(os.path.join(here, "*.parquet")))
    count = samples = 0
    for row in rows(files):
        for fault in faults(row):
            sys.exit(f"{row['extra_info']['task_id']}: {fault}")
        count += 1
        samples += len(row["responses"])
    print(f"{count} rows and {samples} samples in {len(files)} files read as verl reads them")


if __name__ == "__main__":
    main()
