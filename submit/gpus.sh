#!/usr/bin/env bash
# Tells Spark which GPUs this machine has: the discovery script of workers and executors. Where two
# workers share a machine, give each its own with LOCKSTEP_GPUS, such as LOCKSTEP_GPUS=0,1.
set -euo pipefail

addresses=$(nvidia-smi ${LOCKSTEP_GPUS:+--id="$LOCKSTEP_GPUS"} --query-gpu=index --format=csv,noheader)
printf '{"name": "gpu", "addresses": [%s]}\n' "$(sed 's/.*/"&"/' <<<"$addresses" | paste -sd, -)"
