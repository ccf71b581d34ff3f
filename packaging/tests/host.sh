#!/usr/bin/env bash
# Runs inside the machine that packages.sh boots, as root, one step at a time: host.sh STEP. Each step says what it saw.
set -euo pipefail

fail() { echo "FAILED: $*" >&2; journalctl -u arki-agent -u arki-hub --no-pager -n 40 >&2 || true; exit 1; }
within() { # seconds, what, command...: until the command succeeds
    local seconds=$1 what=$2
    shift 2
    for _ in $(seq $((seconds * 2))); do "$@" >/dev/null 2>&1 && return 0; sleep 0.5; done
    fail "$what: not within $seconds s"
}
mute() { DEBIAN_FRONTEND=noninteractive "$@" >/tmp/log 2>&1 || { cat /tmp/log >&2; fail "$*"; }; }
field() { systemctl show -P "$1" arki-agent; }
agent_id() { arki-hub agent list --json | grep -oE '[0-9a-f]{32}' | head -n 1; }

install() {
    mute apt-get install -y -q /packages/first/*.deb
    within 20 "the agent is active" systemctl is-active arki-agent
    within 20 "the hub is active" systemctl is-active arki-hub
    [ "$(field User)" = arki-agent ] && [ "$(ps -o user= -C arki-agent)" = arki-agent ] || fail "the agent runs as $(ps -o user= -C arki-agent)"
    id arki-agent | grep -q systemd-journal || fail "the agent's user is not in systemd-journal: $(id arki-agent)"
    within 10 "the agent answers" arki-agent status --json
    [ "$(stat -c %a /var/lib/arki)" = 700 ] || fail "/var/lib/arki may be read by others"
    [ "$(stat -c %a /run/arki/agent.sock)" = 660 ] || fail "the socket is open to all"
    man -w arki-agent arki-agent-replay arki-hub >/dev/null 2>&1 || ls /usr/share/man/man1/arki-agent.1.gz >/dev/null
    test -s /usr/share/bash-completion/completions/arki-agent
    arki-agent doctor || fail "the doctor is not content"
}

enroll() {
    [ "$(arki-hub --version)" = "$(arki-agent --version | sed s/agent/hub/)" ] || fail "not of one version"
    sed -i 's/^#interval = .*/interval = "1s"/' /etc/arki/agent.toml
    arki-hub agent token --ttl 10m >/root/token
    arki-agent enroll --hub http://127.0.0.1:8420 --token-file /root/token
    systemctl restart arki-agent
    within 20 "the agent answers" arki-agent status --json
    within 30 "the hub knows the agent" agent_id
    agent_id >/root/agent-id
}

# Its own file system of 64 MB is filled within five minutes.
fill() {
    for _ in $(seq 300); do head -c 180000 /dev/urandom; sleep 1; done >/srv/data/fill
}

predicted() {
    within 320 "a prediction of the disk that fills" test_prediction
    arki-agent status || [ $? -eq 1 ]
    arki-agent status --json | grep -o '"id": *"[0-9a-f-]*"' | head -n 1 >/root/event
    test -s /root/event || fail "status names no event"
    arki-agent export --events --output /root/events.jsonl
    arki-hub verify /root/events.jsonl --key /var/lib/arki/identity.pub
    key=$(arki-hub key create test --scope read)
    within 30 "the prediction is at the hub" at_hub "$key"
}
test_prediction() { arki-agent status --fail-on-prediction; [ $? -eq 2 ]; }
at_hub() { curl -sf -H "Authorization: Bearer $1" 'http://127.0.0.1:8420/v1/predictions' | grep -q 'disk.used_percent{/srv/data}'; }

killed() {
    before=$(field MainPID)
    kill -9 "$before"
    within 20 "systemd starts the agent again" restarted "$before"
    within 20 "the agent answers" arki-agent status --json
    [ "$(agent_id)" = "$(cat /root/agent-id)" ] || fail "the agent is another one now"
    [ "$(field MemoryMax)" = 50331648 ] || fail "MemoryMax is $(field MemoryMax)"
}
restarted() { local now; now=$(field MainPID); [ "$now" != 0 ] && [ "$now" != "$1" ]; }

upgrade() {
    local before
    before=$(field MainPID)
    events=$(arki-agent status --json | grep -c '"id"' || true)
    mute apt-get install -y -q /packages/second/*.deb
    ! grep -i warn /tmp/log || fail "the upgrade is not silent"
    within 20 "the upgrade starts the new program" restarted "$before"
    within 20 "the agent answers after the upgrade" arki-agent status --json
    grep -q '^interval = "1s"' /etc/arki/agent.toml || fail "the upgrade lost the configuration"
    dpkg-query -W -f '${Version}\n' arki-agent | grep -q -- '-2$' || fail "not upgraded"
    [ "$(agent_id)" = "$(cat /root/agent-id)" ] || fail "the upgrade lost the agent's identity"
    after=$(arki-agent status --json | grep -c '"id"' || true)
    [ "$after" -ge "$events" ] || fail "the upgrade lost events: $events before, $after after"
}

remove() {
    mute apt-get remove -y -q arki-agent arki-hub
    ! pgrep -x 'arki-agent|arki-hub' >/dev/null || fail "a process is left: $(pgrep -a arki)"
    test -e /etc/arki/agent.toml -a -d /var/lib/arki || fail "remove took more than the program"
    mute apt-get purge -y -q arki-agent arki-hub
    left=$(find / -xdev \( -path /proc -o -path /sys -o -path /packages \) -prune -o -iname '*arki*' -print)
    [ -z "$left" ] || fail "purge left: $left"
    ! getent passwd arki-agent arki-hub || fail "purge left a user"
}

"$@"
echo "ok: $1"
