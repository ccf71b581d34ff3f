#!/usr/bin/env bash
# The time from request to result of a trial, beside a bare `docker run` of the same command with the same limits, in
# turns: medians of ten. Needs an engine with the sandbox's images (`.ci/docker start PROGRAM`), curl and docker.
#
#   ARKI_TEST_DOCKER=unix:///run/docker.sock arki-hub/benches/sandbox.sh [PROGRAM]
#
# Exit code: 1 if a median is more than 1.5 times the bare one.
set -euo pipefail
cd "$(dirname "$0")/../.."
hub=${1:-target/release/arki-hub}
[ -x "$hub" ] || cargo build --release --locked -p arki-hub
port=$((20000 + RANDOM % 20000))
export DOCKER_HOST=${ARKI_TEST_DOCKER:-${DOCKER_HOST:-unix:///run/docker.sock}}
work=$(mktemp -d)
leave() { [ -z "${pid:-}" ] || { kill "$pid" && wait "$pid" || true; } 2>/dev/null; rm -rf "$work"; }
trap leave EXIT
image=$(docker image inspect --format '{{.Id}}' arki-sandbox/nginx:latest)
cat >"$work/hub.toml" <<TOML
listen = "127.0.0.1:$port"
[database]
url = "sqlite://$work/hub.db"
[sandbox]
docker = "$DOCKER_HOST"
[sandbox.images]
nginx = "$image"
TOML
key=$("$hub" key create bench --scope sandbox --config "$work/hub.toml")
"$hub" serve --config "$work/hub.toml" 2>"$work/log" & pid=$!
until curl -sf http://127.0.0.1:$port/healthz >/dev/null; do sleep 0.1; done

options=rw,nosuid,nodev,noexec,uid=33,gid=33
bare() {
    docker run --rm --read-only --network none --cap-drop ALL --security-opt no-new-privileges --memory 256m \
        --memory-swap 256m --pids-limit 128 --cpus 1 --ulimit nofile=1024:1024 --ulimit core=0 --ipc private --init \
        --security-opt "seccomp=packaging/seccomp/sandbox.json" --log-driver none --user 33:33 \
        --tmpfs "/run:$options,size=8m" --tmpfs "/var/log/nginx:$options,size=16m" \
        --tmpfs "/var/lib/nginx:$options,size=16m" --tmpfs "/tmp:$options,size=16m" "$image" "$@" >/dev/null 2>&1
}
trial() { # action
    local api=http://127.0.0.1:$port/v1/sandbox/runs id
    id=$(curl -sf -H "Authorization: Bearer $key" -H 'Content-Type: application/json' -d "{\"service\":\"nginx\",\"action\":\"$1\"}" "$api" |
        grep -oE '"id":"[0-9a-f-]{36}"' | cut -d'"' -f4)
    until curl -sf -H "Authorization: Bearer $key" "$api/$id" | grep -qE '"state":"(done|failed)"'; do sleep 0.01; done
}
timed() { local from to; from=$(date +%s%N); "$@"; to=$(date +%s%N); echo $(((to - from) / 1000000)); }
median() { sort -n | awk '{ v[NR] = $1 } END { print (NR % 2) ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'; }

script='nginx -g "daemon off;" & until pgrep -f "nginx: worker" >/dev/null; do sleep 0.05; done; nginx -s reload; sleep 0.1; pgrep -f "nginx: worker"'
for _ in 1 2 3 4 5 6 7 8 9 10; do
    timed bare nginx -t >>"$work/bare-test"
    timed trial test >>"$work/trial-test"
    timed bare sh -c "$script" >>"$work/bare-reload"
    timed trial reload >>"$work/trial-reload"
done
late=0
for name in test reload; do
    bare=$(median <"$work/bare-$name") trial=$(median <"$work/trial-$name")
    awk -v n="$name" -v b="$bare" -v t="$trial" 'BEGIN {
        printf "nginx %-7s bare docker run %5d ms, request to result %5d ms: %.2f times (goal: 1.5)%s\n", n, b, t, t / b, (t > 1.5 * b) ? " TOO SLOW" : ""
        exit (t > 1.5 * b)
    }' || late=1
done
exit "$late"
