#!/usr/bin/env bash
# A real failure, watched by a real agent at one pass a second: a file system that fills, or a process that leaks.
#
#   examples/for-real.sh fill [SIZE_MB [MINUTES]]        a tmpfs of its own (default 200 MB, 10 minutes)
#   examples/for-real.sh leak [MB_A_SECOND [PERCENT]]    until PERCENT of the memory is used (default 20, 85)
#
# `leak` takes this host's memory: the leaking process offers itself to the kernel first and ends at PERCENT, but do not run it
# where anything matters. ARKI_AGENT names a program that is built already. Needs python3, and root or user namespaces for
# `fill`. Exit code: 0 if it was predicted with the process named, 1 if not, 2 if it could not be tried.
set -euo pipefail
cd "$(dirname "$0")/.."
what=${1:-}
case $what in
fill) size_mb=${2:-200} minutes=${3:-10} ;;
leak) rate_mb=${2:-20} percent=${3:-85} ;;
*) sed -n '2,10s/^# \{0,1\}//p' "$0"; exit 2 ;;
esac
if [ "$what" = fill ] && [ -z "${OWN_NAMESPACE:-}" ]; then
    user=$([ "$(id -u)" -eq 0 ] || echo --map-root-user)
    # shellcheck disable=SC2086 # no word where it is empty
    OWN_NAMESPACE=1 exec unshare --mount $user --propagation private "$0" "$@"
fi
if [ -z "${ARKI_AGENT:-}" ]; then
    make -s release-agent
    ARKI_AGENT=$PWD/$(make -s print-agent)
fi
work=$(mktemp -d)
pids=()
leave() {
    for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null && wait "$pid" 2>/dev/null || true; done
    rm -rf "$work"
}
trap leave EXIT INT TERM
cat >"$work/agent.toml" <<TOML
interval = "1s"
state_dir = "$work/state"
socket = "$work/agent.sock"
TOML
agent() { "$ARKI_AGENT" "$@" --config "$work/agent.toml"; }

if [ "$what" = fill ]; then
    mount -t tmpfs -o "size=${size_mb}m" arki-fills /srv
    series=disk.used_percent{/srv}
else
    series=memory.used_percent
fi
"$ARKI_AGENT" run --config "$work/agent.toml" 2>"$work/agent.log" & pids+=($!)
echo "three minutes of what is usual: growth whose beginning was not seen may be the rest of anything ..."
sleep 180

cat >"$work/fails.py" <<'PY'
import sys, time
what, rate, end = sys.argv[1], float(sys.argv[2]), float(sys.argv[3])
begun, done, kept = time.time(), 0, []
if what == "leak":
    open("/proc/self/oom_score_adj", "w").write("1000")
def used():
    lines = {line.split(":")[0]: int(line.split()[1]) for line in open("/proc/meminfo")}
    return 100 * (1 - lines["MemAvailable"] / lines["MemTotal"])
try:
    with open("/srv/grows" if what == "fill" else "/dev/null", "wb", buffering=0) as file:
        while what == "fill" or used() < end:
            if what == "fill":
                file.write(b"x" * (1 << 18))
                done += 0.25
            else:
                kept.append(bytearray(b"x" * (1 << 22)))
                done += 4
            time.sleep(max(0, begun + done / rate - time.time()))
except OSError as error:
    print(error)
print("%d" % time.time(), file=open(sys.argv[4], "w"))
time.sleep(5)
PY
if [ "$what" = fill ]; then
    rate_mb=$(awk -v s="$size_mb" -v m="$minutes" 'BEGIN { print s / m / 60 }') percent=100
fi
python3 "$work/fails.py" "$what" "$rate_mb" "$percent" "$work/ended" & fails=$!
pids+=("$fails")
echo "python3 (process $fails) takes $rate_mb MB a second"

told=
until [ -e "$work/ended" ] || ! kill -0 "$fails" 2>/dev/null; do
    if [ -z "$told" ] && agent status --json | python3 -c "
import json, sys
found = [p for p in json.load(sys.stdin)['predictions'] if p['series'] == '$series']
sys.exit(not found)"; then
        told=$(date +%s)
        echo
        agent status || true
        event=$(agent status --json | grep -oE '"id": ?"[0-9a-f-]{36}"' | head -n 1 | cut -d'"' -f4)
        agent explain "$event" | tee "$work/explained" || true
    fi
    sleep 1
done
[ -n "$told" ] || { echo "NOT PREDICTED; $(tail -n 3 "$work/agent.log")"; exit 1; }
ended=$(cat "$work/ended" 2>/dev/null || date +%s)
echo
echo "told $(((ended - told) / 60)) min $(((ended - told) % 60)) s before $([ "$what" = fill ] && echo "it was full" || echo "$percent % of the memory were used")"
grep -q python3 "$work/explained" || { echo "the process was not named"; exit 1; }
