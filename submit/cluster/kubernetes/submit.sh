#!/usr/bin/env bash
# Evaluates on Kubernetes, driver in this process (a pod of the cluster, or a machine that executors
# can reach). IMAGE holds Spark 4.1.0, python3, numpy, bubblewrap, a CUDA build of PyTorch 2.7.1 in
# /opt/pytorch, and this repository, built, in /opt/lockstep.
set -euo pipefail

: "${MASTER:?k8s://https://HOST:6443}" "${IMAGE:?the executors image}" "${OUTPUT:?such as s3a://bucket/runs/night}"
here=$(dirname "$0")

exec "$here/../../lockstep" evaluate \
  --master "$MASTER" \
  --conf spark.kubernetes.container.image="$IMAGE" \
  --conf spark.kubernetes.namespace="${NAMESPACE:-default}" \
  --conf spark.kubernetes.executor.podTemplateFile="$here/executor.yaml" \
  --conf spark.kubernetes.executor.podTemplateContainerName=spark-kubernetes-executor \
  --conf spark.executor.instances="${EXECUTORS:-8}" \
  --conf spark.executorEnv.PYTORCH_LIBRARY_PATH=/opt/pytorch/lib \
  --conf spark.executorEnv.PYTORCH_VERSION=2.7.1 \
  --conf spark.executorEnv.HF_HOME=/shared/huggingface \
  --conf spark.executorEnv.LOCKSTEP_CACHE=/var/tmp/lockstep \
  hardware=kubernetes model=dream output.dir="$OUTPUT" "$@"
