#!/usr/bin/env bash
# The demonstration: this host live, a host from a trace whose disk fills, and a hub. No root, no server, nothing is installed
# and nothing is left behind.
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf '\n\033[1m== %s\033[0m\n\n' "$*"; }
run() { printf '$ %s\n' "$*"; "$@" || true; echo; }

trace=examples/disk-fills/web-1.csv.gz
work=$(mktemp -d)
pids=()
leave() {
    for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null && wait "$pid" 2>/dev/null || true; done
    rm -rf "$work"
}
trap leave EXIT INT TERM
. examples/hub.sh

say "Building the agent and the hub"
hub_build & building=$! # beside the agent's release build, which ends on one core
make -s release-agent
agent=$(make -s print-agent)
wait "$building"

configure() { # name interval
    mkdir -p "$work/$1"
    cat >"$work/$1.toml" <<TOML
interval = "$2"
host = "$1"
state_dir = "$work/$1"
socket = "$work/$1.sock"
TOML
}

answers() { # name: until the daemon answers on its socket
    for _ in $(seq 100); do
        "$agent" status --json --config "$work/$1.toml" >/dev/null 2>&1
        [ $? -ne 3 ] && return 0
        sleep 0.1
    done
    echo "the agent $1 does not answer" >&2
    exit 1
}

say "1. This host, live, at a pass a second"
configure this-host 1s
hub_start
hub_enroll this-host
"$agent" run --config "$work/this-host.toml" 2>"$work/this-host.log" & pids+=($!)
configure web-1 1s
hub_enroll web-1
say "2. Beside it a host whose disk fills, played thirty times as fast"
"$agent" run --trace "$trace" --speed 30 --config "$work/web-1.toml" 2>"$work/web-1.log" & pids+=($!)
sleep 10
(answers this-host) && run "$agent" status --config "$work/this-host.toml"

echo "waiting for its disk to be predicted ..."
for _ in $(seq 240); do
    set +e
    "$agent" status --fail-on-prediction --config "$work/web-1.toml" >/dev/null 2>&1
    code=$?
    set -e
    [ "$code" -eq 2 ] && break
    sleep 0.5
done
[ "${code:-0}" -eq 2 ] || { echo "no prediction came; $work/web-1.log:" >&2; cat "$work/web-1.log" >&2; exit 1; }

run "$agent" status --config "$work/web-1.toml"

say "3. Why?"
event=$("$agent" status --json --config "$work/web-1.toml" | grep -oE '"id": ?"[0-9a-f-]{36}"' | head -n 1 | cut -d'"' -f4)
run "$agent" explain "$event" --config "$work/web-1.toml"

say "4. A fleet in one place: the hub, with a page"
hub_show
[ ! -t 0 ] || { printf "\nEnter goes on and ends the hub. "; read -r _ || true; }

say "5. The same question of a whole history: what would Arki have told?"
run "$agent" replay "$trace" --report

say "6. The fix, tried on a copy"
examples/sandbox-demo.sh "$hub" || true

say "Done. Nothing was installed. Try it on your own history: $agent replay --help"
