#!/usr/bin/env bash
# What the agent costs, beside node_exporter in the same run (make bench-agent).
#
#   BENCH_MINUTES   how long both are watched, after two minutes of warming up (default 10; the README's figures: 60)
#   BENCH_AGENT     the program to measure (default: built by `make release-agent`)
#   BENCH_SERIES    how many live series (default 200)
#
# What is real: the host, its processes (sleeping ones are added up to 150), 200 series that are read at every pass, seven days and
# eight hours of learned history of these very series, a TLS connection to a hub that takes a signed summary every
# five minutes and sees to it that the agent resolves a name, reads the system's certificates and shakes hands.
# What is made up: the values of the history (a daily swing and noise), the hub (hub.py), and the series that this host does not
# have: logs (two series each, at most 64), as root empty file systems (tmpfs in a mount namespace of its own, two
# series each). Without root it makes do with logs and says how many series that gave.
#
# Memory is the highest Rss of smaps_rollup in the time, read from outside every ten seconds; CPU is utime + stime of
# /proc/PID/stat, children included; times are the agent's own of its last 120 passes (a pass: from the first reading to
# what is told; what is put on the disk after it waits for the disk, and a scrape writes nothing). Exit code: 0 if every line of the
# budget holds, 1 if one is broken, 2 if it could not be measured.
set -euo pipefail
cd "$(dirname "$0")/../.."

if [ "$(id -u)" -eq 0 ] && [ -z "${BENCH_NAMESPACE:-}" ]; then
    BENCH_NAMESPACE=1 exec unshare --mount --propagation private "$0" "$@"
fi

minutes=${BENCH_MINUTES:-10}
series=${BENCH_SERIES:-200}
interval=30
learned_s=$(((7 * 24 + 8) * 3600))
speed=3600
work=$(mktemp -d)
pids=()
leave() {
    for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
    rm -rf "$work"
}
trap leave EXIT
trap 'exit 2' INT TERM
fail() { echo "$*" >&2; exit 2; }

for tool in python3 curl openssl; do command -v $tool >/dev/null || fail "$tool is needed"; done
exporter=$(command -v prometheus-node-exporter || command -v node_exporter || true)
if [ -z "$exporter" ] && [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; then
    apt-get update -qq && apt-get install -y -qq --no-install-recommends prometheus-node-exporter >/dev/null
    exporter=$(command -v prometheus-node-exporter)
fi
[ -n "$exporter" ] || echo "NOT COMPARED: node_exporter is not installed (Debian: prometheus-node-exporter)" >&2

if [ -z "${BENCH_AGENT:-}" ]; then
    make -s release-agent
    BENCH_AGENT=$PWD/$(make -s print-agent)
fi
# The kernel maps what its cache holds around a page in use: all of the program, as after an installation.
cat "$BENCH_AGENT" >/dev/null

agent() { "$BENCH_AGENT" "$@" --config "$work/agent.toml"; }

logs=0
configure() { # interval
    cat <<TOML
interval = "$1"
state_dir = "$work/state"
socket = "$work/agent.sock"
series_max = 600
[hub]
ca_file = "$work/ca.pem"
TOML
    for n in $(seq "$logs"); do printf '[[log]]\nname = "bench-%02d"\npath = "%s/%d.log"\n' "$n" "$work" "$n"; done
}

start_agent() { # arguments of run
    "$BENCH_AGENT" run --config "$work/agent.toml" "$@" 2>"$work/agent.log" &
    agent_pid=$!
    pids+=("$agent_pid")
}

stop_agent() {
    kill -TERM "$agent_pid" || { cat "$work/agent.log" >&2; fail "the agent ended early"; }
    wait "$agent_pid" || true
}

status() { agent status --json | python3 -c "import json, sys; s = json.load(sys.stdin); print($1)"; }

live_names() { # the names of the series that are read now, into names.csv
    configure 1s >"$work/agent.toml"
    start_agent
    sleep 8
    agent export --output "$work/names.csv" 2>/dev/null
    stop_agent
    rm -rf "$work/state"
    head -1 "$work/names.csv" | tr ',' '\n' | tail -n +2 | grep -c .
}

# A host with 150 processes: those that it has (threads of the kernel included), and sleeping ones beside them.
present=$(ls /proc | grep -c '^[0-9]')
for _ in $(seq "$present" 149); do sleep 86400 & pids+=($!); done
cat arki-agent/src/ship/tests/data/ca.pem /etc/ssl/certs/ca-certificates.crt >"$work/ca.pem" 2>/dev/null || true

# 1. As many live series as are wanted.
live=$(live_names)
host=$live
logs=$(((series - live + 1) / 2))
logs=$((logs < 0 ? 0 : logs > 64 ? 64 : logs))
for n in $(seq "$logs"); do : >"$work/$n.log"; done
systems=$(((series - live - 2 * logs + 3) / 2))
if [ "$systems" -gt 0 ] && [ "$(id -u)" -eq 0 ]; then
    # In this script's own mount namespace; what is mounted below /tmp or /run would be nobody's disk.
    mount -t tmpfs -o size=1m bench /srv
    for n in $(seq 2 "$systems"); do
        mkdir "/srv/$n" && mount -t tmpfs -o size=1m "bench-$n" "/srv/$n"
    done
fi
live=$(live_names)
echo "$live live series: $host of this host, $((2 * logs)) of $logs logs, the others of file systems"

# 2. Seven days and eight hours of them, learned.
python3 - "$work/names.csv" "$interval" "$learned_s" >"$work/history.csv" <<'PY'
import csv, math, random, sys, time
names = next(csv.reader(open(sys.argv[1])))[1:]
step, rows = int(sys.argv[2]), int(sys.argv[3]) // int(sys.argv[2])
start = int(time.time()) // step * step - rows * step
random.seed(1)
noise = [random.gauss(0, 1) for _ in range(65_537)]
out = csv.writer(sys.stdout)
out.writerow(["timestamp", *names])
level = [random.uniform(20, 60) for _ in names]
for row in range(rows):
    at = start + row * step
    load = 10 + 8 * math.sin(at * 2 * math.pi / 86400)
    out.writerow([at, *("%.2f" % (v + load * (n % 3) + noise[(row * 211 + n * 7919) % 65_537]) for n, v in enumerate(level))])
PY
configure "${interval}s" >"$work/agent.toml"
start_agent --trace "$work/history.csv" --speed "$speed"
echo "learning seven days and eight hours of them ($((learned_s / speed)) s) ..."
sleep $((learned_s / speed + 10))
passes=$(status 's["own"]["passes"]')
status '"\n".join(v["text"] for v in s["voters"])' 2>/dev/null || true
stop_agent
[ "$passes" -ge $((learned_s / interval * 9 / 10)) ] || echo "NOTE: only $passes of $((learned_s / interval)) passes: the machine is busy"

# 3. The agent, a hub and node_exporter, at the same interval.
port=$((20000 + RANDOM % 20000))
python3 arki-agent/benches/hub.py "$port" arki-agent/src/ship/tests/data/leaf.pem arki-agent/src/ship/tests/data/leaf.key \
    >"$work/hub.log" 2>&1 &
pids+=($!)
for _ in $(seq 60); do (: <"/dev/tcp/127.0.0.1/$port") 2>/dev/null && break || sleep 1; done
echo token | agent enroll --hub "https://localhost:$port" >/dev/null
start_agent
if [ -n "$exporter" ]; then
    "$exporter" --web.listen-address="127.0.0.1:$((port + 1))" 2>"$work/exporter.log" &
    exporter_pid=$!
    pids+=("$exporter_pid")
    (while sleep "$interval"; do
        curl -s -o /dev/null -w '%{time_total}\n' "http://127.0.0.1:$((port + 1))/metrics" >>"$work/scrapes"
    done) &
    pids+=($!)
fi
(while sleep 7; do for n in $(seq "$logs"); do echo "a line, no error" >>"$work/$n.log"; done; done) &
pids+=($!)
ticks() { awk '{print $14 + $15 + $16 + $17}' "/proc/$1/stat"; }
rss() { awk '/^Rss:/{print $2 * 1024}' "/proc/$1/smaps_rollup"; }
sleep 120
agent_before=$(ticks "$agent_pid")
exporter_before=$([ -n "$exporter" ] && ticks "$exporter_pid" || echo 0)
for _ in $(seq $((minutes * 6))); do
    sleep 10
    rss "$agent_pid" >>"$work/rss"
done

# 4. What it came to.
per_hour() { awk -v t="$1" -v hz="$(getconf CLK_TCK)" -v m="$minutes" 'BEGIN{printf "%.2f", t / hz * 60 / m}'; }
mb() { awk -v b="$1" 'BEGIN{printf "%.2f", b / 1e6}'; }
agent_cpu=$(per_hour $(($(ticks "$agent_pid") - agent_before)))
highest=$(sort -n "$work/rss" | tail -1)
shipped=$(grep -c epoch "$work/hub.log" || true)
printf '\n%s, %s CPUs, load %s, %s minutes at %s s, %s processes, %s series, %s batches shipped over TLS\n\n' \
    "$(uname -sr)" "$(nproc)" "$(cut -d' ' -f1-3 /proc/loadavg)" "$minutes" "$interval" "$(ls /proc | grep -c '^[0-9]')" \
    "$(status 's["collect"]["readings"]')" "$shipped"
printf '| | Rss, MB | CPU, s an hour | a pass or scrape, ms: median / p99 | all votes of it | to disk after it |\n| --- | --- | --- | --- | --- | --- |\n'
printf '| arki-agent | %s | %s | %s | %s | %s |\n' "$(mb "$highest")" "$agent_cpu" \
    "$(status '"%.2f / %.2f" % (s["own"]["pass_median_ms"], s["own"]["pass_p99_ms"])')" \
    "$(status '"%.2f / %.2f" % (s["own"]["votes_median_ms"], s["own"]["votes_p99_ms"])')" \
    "$(status '"%.2f / %.2f" % (s["own"]["writes_median_ms"], s["own"]["writes_p99_ms"])')"
exporter_cpu=
if [ -n "$exporter" ]; then
    exporter_cpu=$(per_hour $(($(ticks "$exporter_pid") - exporter_before)))
    printf '| node_exporter | %s | %s | %s | | |\n' "$(mb "$(rss "$exporter_pid")")" "$exporter_cpu" \
        "$(sort -n "$work/scrapes" | awk '{a[NR] = $1 * 1000} END{printf "%.1f / %.1f", a[int((NR + 1) / 2)], a[int(NR * 0.99 + 0.99)]}')"
fi
echo
awk '/^[0-9a-f]+-[0-9a-f]+ /{kind = $6 ~ /^\// ? ($2 ~ /w/ ? "data" : "program") : $6 == "[heap]" ? "heap" : "other"}
    /^Rss:/{sum[kind] += $2 * 1024} END{for (k in sum) printf "%s %.2f MB  ", k, sum[k] / 1e6; print "(resident now)"}' "/proc/$agent_pid/smaps"
if [ -n "${BENCH_KEEP:-}" ]; then mkdir -p "$BENCH_KEEP"; cp "$work"/rss "$work"/*.log "/proc/$agent_pid/smaps" "$BENCH_KEEP/"; fi

status 's["own"]' | python3 -c '
import ast, sys
own = ast.literal_eval(sys.stdin.read())
rss, cpu, exporter = float(sys.argv[1]), float(sys.argv[2]), sys.argv[3]
budget = [
    ("Rss", rss / 1e6, 6.0, "MB"),
    ("a pass, median", own["pass_median_ms"], 3.0, "ms"),
    ("a pass, p99", own["pass_p99_ms"], 10.0, "ms"),
    ("all votes, p99", own["votes_p99_ms"], 1.0, "ms"),
    ("CPU an hour", cpu, 0.6, "s"),
]
if exporter:
    budget.append(("CPU an hour, half of node_exporter", cpu, float(exporter) / 2, "s"))
broken = [line for line in budget if line[1] > line[2]]
for what, found, most, unit in broken:
    print(f"OVER BUDGET: {what}: {found:.2f} {unit}, at most {most:.2f}", file=sys.stderr)
print("over the budget" if broken else "within the budget")
sys.exit(1 if broken else 0)
' "$highest" "$agent_cpu" "$exporter_cpu"
