#!/usr/bin/env bash
# Where decoding's time goes at 5, 10, 20 and 50 steps: submit/profile_infer.sh [overrides], such as
#   submit/profile_infer.sh hardware=h200_1x model=dream dataset=humanevalplus limit=64
set -euo pipefail
here=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd)
exec "$here/lockstep" profile sweep=steps "$@"
