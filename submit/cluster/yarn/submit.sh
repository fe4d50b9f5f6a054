#!/usr/bin/env bash
# Evaluates on YARN, driver on this machine. YARN needs GPU scheduling (yarn.io/gpu in
# resource-types.xml and the NodeManagers' GPU plugin); without GPU isolation by cgroups every
# container sees every GPU, and two executors of a machine would take the same one.
# The nodes need what submit/cluster/standalone/submit.sh names.
set -euo pipefail

: "${HADOOP_CONF_DIR:?folder with yarn-site.xml}" "${OUTPUT:?such as hdfs:///runs/night}"
here=$(dirname "$0")

exec "$here/../../lockstep" evaluate \
  --master yarn \
  --num-executors "${EXECUTORS:-8}" \
  --files "$here/../../gpus.sh" \
  --conf spark.executorEnv.PYTORCH_LIBRARY_PATH=/opt/pytorch/lib \
  --conf spark.executorEnv.PYTORCH_VERSION=2.7.1 \
  --conf spark.executorEnv.HF_HOME=/shared/huggingface \
  --conf spark.executorEnv.LOCKSTEP_CACHE=/var/tmp/lockstep \
  hardware=yarn model=dream output.dir="$OUTPUT" "$@"
