#!/usr/bin/env bash
# Decodes two prompts with the bundled model in both lockstep modes and checks what comes out: under
# a minute on two cores, built before. Exit code 0 when all is well, the job's when it fails, 1 when
# its output is wrong. Words are passed on: submit/smoke_decode.sh model=dream
set -euo pipefail

here=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd)
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

wrong() { echo "smoke_decode: $*" >&2; exit 1; }

cat >"$out/prompts.jsonl" <<'PROMPTS'
{"id": "add", "prompt": "def add_numbers(a, b):\n    \"\"\"Return the sum of a and b.\"\"\"\n"}
{"id": "evens", "prompt": "def count_evens(nums):\n    \"\"\"Count the even numbers of nums.\"\"\"\n"}
PROMPTS

modes=(gauss_seidel jacobi)
started=$SECONDS
# One application for both modes: starting one takes longer than decoding.
"$here/lockstep" generate input="$out/prompts.jsonl" output.dir="$out/run" decode.trace=true \
  -m decode=lockstep decode.mode=gauss_seidel,jacobi "$@" >"$out/log" 2>&1 ||
  { status=$?; cat "$out/log" >&2; echo "smoke_decode: decoding failed with exit code $status" >&2; exit $status; }
for job in "${!modes[@]}"; do
  mode=${modes[job]}
  file=$out/run/$job/completions.jsonl
  [ -f "$file" ] || wrong "$mode wrote no completions.jsonl"
  /usr/bin/python3 -I - "$mode" "$file" <<'CHECK' || wrong "$mode: wrong output"
import json, sys

mode, file = sys.argv[1:]
rows = [json.loads(line) for line in open(file, encoding="utf-8")]


def require(holds, what):
    if not holds:
        sys.exit(f"smoke_decode: {mode}: {what}")


require([row["id"] for row in rows] == ["add", "evens"], f"ids {[row.get('id') for row in rows]}")
for row in rows:
    name = row["id"]
    blocks = {block["name"]: block for block in row["blocks"]}
    require(list(blocks) == ["R", "A"], f"{name}: blocks {list(blocks)}")
    lengths = {block: blocks[block]["length"] for block in blocks}
    require(min(lengths.values()) > 0, f"{name}: block lengths {lengths}")
    filled = sum(block["length"] for block in blocks.values())
    require(len(row["token_ids"]) > filled, f"{name}: {len(row['token_ids'])} ids for {filled} places and markers")
    require(row["text"].strip(), f"{name}: no text")
    require(0 < row["nfe"] <= 2 * filled, f"{name}: {row['nfe']} passes")
    # Every place is committed in a pass that took place; an end token may fill places again.
    places = {p for b in blocks.values() for p in range(b["start"], b["start"] + b["length"])}
    committed = {commit["position"] for commit in row["trace"]}
    require(committed == places, f"{name}: {len(places - committed)} places were never committed")
    require(all(0 <= c["nfe"] < row["nfe"] for c in row["trace"]), f"{name}: a commit outside the passes")
    if mode == "jacobi":
        require(
            any({c["block"] for c in row["trace"] if c["nfe"] == n} == {"R", "A"} for n in range(row["nfe"])),
            f"{name}: no pass committed in R and A together",
        )
    print(f"{mode:13}{name:7}passes={row['nfe']:<4}{row['text'].strip().splitlines()[-1]!r}")
CHECK
  echo "$mode: ok"
done
echo "ok in $((SECONDS - started)) s"
