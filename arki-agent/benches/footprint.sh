#!/usr/bin/env bash
# What the agent costs, beside node_exporter in the same run (make bench). Needs root only to install node_exporter.
#
#   BENCH_MINUTES  how long both are watched, after a minute of warming up (default 10; the README's figures: 60)
#
# The agent starts on seven days and eight hours of learned history of the series that it then reads live: this
# host's own and those of services and logs, 200 in all, beside 150 sleeping processes. Memory is Rss of
# smaps_rollup, CPU is utime + stime of /proc/PID/stat, both read from outside.
set -euo pipefail
cd "$(dirname "$0")/../.."

minutes=${BENCH_MINUTES:-10}
interval=30
series=200
work=$(mktemp -d)
pids=()
leave() {
    for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
    rm -rf "$work"
}
trap leave EXIT INT TERM

exporter=$(command -v prometheus-node-exporter || command -v node_exporter || true)
if [ -z "$exporter" ] && [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; then
    apt-get update -qq && apt-get install -y -qq --no-install-recommends prometheus-node-exporter curl >/dev/null
    exporter=$(command -v prometheus-node-exporter)
fi
[ -n "$exporter" ] || echo "NOT COMPARED: node_exporter is not installed (Debian: prometheus-node-exporter)" >&2

make -s release-agent
agent=$PWD/$(make -s print-agent)

for _ in $(seq 150); do sleep 86400 & pids+=($!); done

# 70 services (two series each) and log files fill up what the host itself does not have.
configure() { # interval
    cat <<TOML
interval = "$1"
state_dir = "$work/state"
socket = "$work/agent.sock"
series_max = 600
TOML
    for n in $(seq 70); do printf '[[service]]\nname = "bench-%02d"\n' "$n"; done
    for n in $(seq 10); do
        : >"$work/$n.log"
        printf '[[log]]\nname = "bench-%02d"\npath = "%s/%d.log"\n' "$n" "$work" "$n"
    done
}

start_agent() {
    "$agent" run --config "$work/agent.toml" 2>"$work/agent.log" &
    agent_pid=$!
    pids+=("$agent_pid")
}

# 1. The names of the live series.
configure 1s >"$work/agent.toml"
start_agent
sleep 8
"$agent" export --config "$work/agent.toml" --output "$work/names.csv"
kill -TERM "$agent_pid" && wait "$agent_pid" || true
rm -rf "$work/state"

# 2. Seven days and eight hours of them, learned.
python3 - "$work/names.csv" "$series" "$interval" >"$work/history.csv" <<'PY'
import csv, math, random, sys, time
names = next(csv.reader(open(sys.argv[1])))[1:]
names = (names + [f"bench.value{{{n}}}" for n in range(int(sys.argv[2]))])[:int(sys.argv[2])]
step, rows = int(sys.argv[3]), (7 * 24 + 8) * 3600 // int(sys.argv[3])
start = int(time.time()) // step * step - rows * step
random.seed(1)
out = csv.writer(sys.stdout)
out.writerow(["timestamp", *names])
level = [random.uniform(20, 60) for _ in names]
for row in range(rows):
    at = start + row * step
    load = 10 + 8 * math.sin(at * 2 * math.pi / 86400)
    out.writerow([at, *(f"{v + load * (n % 3) + random.gauss(0, 1):.2f}" for n, v in enumerate(level))])
PY
configure "${interval}s" >"$work/agent.toml"
"$agent" run --trace "$work/history.csv" --speed 3600 --config "$work/agent.toml" 2>"$work/learn.log" &
agent_pid=$!
pids+=("$agent_pid")
echo "learning seven days and eight hours of $series series (three minutes) ..."
sleep $(((7 * 24 + 8) * 3600 / 3600 + 10))
"$agent" status --config "$work/agent.toml" | sed -n 's/^Voters/learned:/p'
kill -TERM "$agent_pid" && wait "$agent_pid" || true

# 3. The agent and node_exporter, at the same interval.
start_agent
if [ -n "$exporter" ]; then
    "$exporter" --web.listen-address=127.0.0.1:19100 2>"$work/exporter.log" &
    exporter_pid=$!
    pids+=("$exporter_pid")
    (while sleep "$interval"; do curl -s -o /dev/null -w '%{time_total}\n' http://127.0.0.1:19100/metrics >>"$work/scrapes"; done) &
    pids+=($!)
fi
ticks() { awk '{print $14 + $15}' "/proc/$1/stat"; }
rss() { awk '/^Rss:/{print $2}' "/proc/$1/smaps_rollup"; }
sleep 60
agent_before=$(ticks "$agent_pid")
exporter_before=$([ -n "$exporter" ] && ticks "$exporter_pid" || echo 0)
sleep $((minutes * 60))

per_hour() { awk -v t="$1" -v hz="$(getconf CLK_TCK)" -v m="$minutes" 'BEGIN{printf "%.2f", t / hz * 60 / m}'; }
agent_cpu=$(per_hour $(($(ticks "$agent_pid") - agent_before)))
printf '\n%s, %s minutes at %s s, %s processes\n\n' "$(uname -sr)" "$minutes" "$interval" "$(ls /proc | grep -c '^[0-9]')"
printf '| | Rss, MB | CPU, s an hour | a pass or scrape |\n| --- | --- | --- | --- |\n'
mb() { awk -v k="$1" 'BEGIN{printf "%.2f", k * 1024 / 1e6}'; }
printf '| arki-agent | %s | %s | %s |\n' "$(mb "$(rss "$agent_pid")")" "$agent_cpu" \
    "$("$agent" status --config "$work/agent.toml" | sed -n 's/.*\(pass .*\)/\1/p')"
if [ -n "$exporter" ]; then
    printf '| node_exporter | %s | %s | %s ms |\n' "$(mb "$(rss "$exporter_pid")")" \
        "$(per_hour $(($(ticks "$exporter_pid") - exporter_before)))" \
        "$(sort -n "$work/scrapes" | awk '{a[NR]=$1} END{printf "median %.1f", a[int((NR+1)/2)] * 1000}')"
fi
echo
"$agent" status --config "$work/agent.toml"
