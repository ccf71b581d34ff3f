#!/usr/bin/env bash
# How good the predictions are on shapes that nobody tuned on (make bench-predictions). Needs Python with numpy.
#
#   BENCH_SEED   another draw of the same kinds (default 90)
#   BENCH_HOSTS  hosts a kind (default 4)
set -euo pipefail
cd "$(dirname "$0")/../../.."

python3 -c 'import numpy' 2>/dev/null || { echo "Python with numpy is needed (Debian: python3-numpy)" >&2; exit 1; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cargo build --locked --profile quick -p arki-agent
arki-agent/benches/predictions/generate.py --out "$work" --seed "${BENCH_SEED:-90}" --hosts-per-kind "${BENCH_HOSTS:-4}"
agent="${CARGO_TARGET_DIR:-target}/quick/arki-agent"
"$agent" replay "$work"/*.csv.gz --output "$work/events.ndjson"
arki-agent/benches/predictions/score.py "$work/truth.csv" "$work/events.ndjson"
