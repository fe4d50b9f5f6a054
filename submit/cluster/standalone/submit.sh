#!/usr/bin/env bash
# Evaluates on a standalone cluster. Every machine needs python3, numpy and bubblewrap for the
# tests, a CUDA build of PyTorch 2.7.1, and the checkpoint at the same path (or HF_HOME shared).
# output.dir is on a file system that all machines see.
set -euo pipefail

: "${MASTER:?spark://HOST:7077}" "${OUTPUT:?a folder that all machines see}"

exec "$(dirname "$0")/../../lockstep" evaluate \
  --master "$MASTER" \
  --conf spark.executorEnv.PYTORCH_LIBRARY_PATH=/opt/pytorch/lib \
  --conf spark.executorEnv.PYTORCH_VERSION=2.7.1 \
  --conf spark.executorEnv.HF_HOME="${HF_HOME:-$HOME/.cache/huggingface}" \
  --conf spark.executorEnv.LOCKSTEP_CACHE=/var/tmp/lockstep \
  hardware=standalone model=dream output.dir="$OUTPUT" "$@"
