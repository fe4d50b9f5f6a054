#!/usr/bin/env bash
# The nightly run for schedulers: submit/nightly.sh [options of `submit/lockstep nightly`].
# NIGHTLY_DIR (default: nightly beside the checkout's submit folder) holds all nights and the log of
# each call. Exit codes are the job's: 0 no regression, 5 a regression, 4 rows failed, 2 a mistake or
# another run at work, 3 the machine lacks something, 70 a bug.
set -uo pipefail

here=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd)
nights=${NIGHTLY_DIR:-$(dirname "$here")/nightly}
logs=$nights/logs
mkdir -p "$logs" || { echo "Cannot write to NIGHTLY_DIR=$nights. Choose a folder that can be written." >&2; exit 3; }
log=$logs/$(date +%Y%m%d-%H%M%S).log

# The scheduler's own log gets all of it too. A word of the caller's goes before ours.
"$here/lockstep" nightly output.dir="$nights" "$@" 2>&1 | tee "$log"
status=${PIPESTATUS[0]}

# As many logs as a season has nights.
find "$logs" -name '*.log' -mtime +90 -delete
exit "$status"
