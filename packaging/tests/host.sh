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
identity() { sha256sum /var/lib/arki/identity.pub; }
# The commands that the head of a shipped file gives, as they stand there.
as_told() { sed -n 's/^#   //p' "$1" | bash -euo pipefail >/tmp/log 2>&1 || { cat /tmp/log >&2; fail "what $1 says"; }; }
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
    arki-agent enroll --hub http://localhost:8420 --token-file /root/token
    old_host
    within 20 "the agent answers" arki-agent status --json
    within 30 "the hub knows the agent" agent_id
    identity >/root/identity
}

# From here to `killed` both run as on RHEL 8: its systemd (239) does not know these calls and refuses them with the unit's error
# number, its kernel (4.18) has none of them. Threads must start all the same: the hub's at its start, the agent's to look up a name.
old_host() {
    local unit
    for unit in arki-agent arki-hub; do
        mkdir -p "/etc/systemd/system/$unit.service.d"
        printf '[Service]\nSystemCallFilter=~%s\n' "clone3 openat2 faccessat2 close_range pidfd_open pidfd_send_signal epoll_pwait2 statx rseq" \
            >"/etc/systemd/system/$unit.service.d/old-host.conf"
    done
    systemctl daemon-reload
    systemctl restart arki-hub arki-agent
}

# Its own file system of 64 MB is filled within six minutes: by the clock, however busy this machine is. A trend needs two minutes
# of samples and half of the way behind it, then the votes must stand for two minutes: told after four to five.
fill() {
    local begun=$SECONDS written=0 due=0
    while head -c "$((due - written))" /dev/urandom; do
        written=$due
        sleep 1
        due=$(((SECONDS - begun) * 160000))
    done >/srv/data/fill
}

predicted() {
    for _ in $(seq 720); do test_prediction >/dev/null 2>&1 && break; sleep 0.5; done
    test_prediction >/dev/null || {
        arki-agent status || true
        arki-agent explain 'disk.used_percent{/srv/data}'
        fail "the disk that fills was not predicted"
    } >&2
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
    [ "$(systemctl show -P NRestarts arki-agent arki-hub | tr -d '\n')" = 00 ] || fail "one of them did not live where calls are refused"
    rm /etc/systemd/system/arki-*.service.d/old-host.conf
    systemctl daemon-reload
    systemctl restart arki-hub arki-agent
    within 20 "the agent answers" arki-agent status --json
    before=$(field MainPID)
    kill -9 "$before"
    within 20 "systemd starts the agent again" restarted "$before"
    within 20 "the agent answers" arki-agent status --json
    [ "$(identity)" = "$(cat /root/identity)" ] || fail "the agent is another one now"
    [ "$(field MemoryMax)" = 50331648 ] || fail "MemoryMax is $(field MemoryMax)"
}
restarted() { local now; now=$(field MainPID); [ "$now" != 0 ] && [ "$now" != "$1" ]; }

# The drop-ins that are shipped but not in force, installed as their heads say.
opened() {
    within 20 "status says that descriptors are hidden" hides
    as_told /usr/share/doc/arki-agent/arki-agent-processes.conf
    within 20 "the agent answers" arki-agent status --json
    within 20 "the processes of others are seen with the drop-in" sees
}
hides() { arki-agent status --json >/tmp/status || [ $? -le 2 ]; grep -q CAP_SYS_PTRACE /tmp/status; }
sees() { arki-agent status --json >/tmp/status || [ $? -le 2 ]; test -s /tmp/status && ! grep -q CAP_SYS_PTRACE /tmp/status; }

# [apply] with sudo = true: the very command that the agent runs.
applies() {
    local sudo="/usr/bin/sudo -n --" before
    rm -r /etc/systemd/system/arki-agent.service.d
    echo 'arki-agent ALL=(root) NOPASSWD: /usr/sbin/nginx -s reload, /usr/bin/systemctl reload nginx' >/etc/sudoers.d/test
    ! in_unit $sudo /usr/sbin/nginx -s reload || fail "sudo works without the drop-in"
    rm /etc/sudoers.d/test
    as_told /usr/share/doc/arki-agent/arki-agent-apply.conf
    within 20 "the agent answers with the drop-in" arki-agent status --json
    before=$(workers)
    in_unit $sudo /usr/sbin/nginx -s reload || fail "sudo nginx -s reload: $(journalctl -u arki-try --no-pager -n 20)"
    within 20 "nginx was reloaded" reloaded "$before"
    ! in_unit $sudo /usr/bin/systemctl reload nginx || fail "sudo runs what is not listed"
    echo 'arki-agent ALL=(root) NOPASSWD: /usr/sbin/nginx -t, /usr/bin/systemctl reload nginx' >/etc/sudoers.d/test
    in_unit $sudo /usr/sbin/nginx -t || fail "sudo nginx -t: $(journalctl -u arki-try --no-pager -n 20)"
    before=$(workers)
    in_unit $sudo /usr/bin/systemctl reload nginx || fail "sudo systemctl reload nginx: $(journalctl -u arki-try --no-pager -n 20)"
    within 20 "nginx was reloaded by systemd" reloaded "$before"
    rm -r /etc/sudoers.d/test /etc/sudoers.d/arki-agent /etc/systemd/system/arki-try.service*
    systemctl daemon-reload
}
workers() { pgrep -u www-data nginx | sort | tr '\n' ' '; }
reloaded() { local now; now=$(workers); [ -n "$now" ] && [ "$now" != "$1" ]; }
# A command in the place of the daemon, in the unit with its drop-ins.
in_unit() {
    local try=/etc/systemd/system/arki-try.service
    sed -E -e 's/^Type=.*/Type=oneshot/' -e "s|^ExecStart=.*|ExecStart=$*|" \
        -e '/^(Restart|Watchdog|ExecReload|StateDirectory|RuntimeDirectory)/d' /usr/lib/systemd/system/arki-agent.service >$try
    rm -rf $try.d
    [ ! -d /etc/systemd/system/arki-agent.service.d ] || cp -r /etc/systemd/system/arki-agent.service.d $try.d
    systemctl daemon-reload
    systemctl start arki-try 2>/dev/null
}

upgrade() {
    local before
    before=$(field MainPID)
    events=$(arki-agent status --json | grep -c '"id"' || true)
    # The defaults differ as well: whoever changed them keeps what was changed.
    mute apt-get install -y -q -o Dpkg::Options::=--force-confold /packages/second/*.deb
    ! grep -i warn /tmp/log || fail "the upgrade is not silent"
    within 20 "the upgrade starts the new program" restarted "$before"
    within 20 "the agent answers after the upgrade" arki-agent status --json
    grep -q '^interval = "1s"' /etc/arki/agent.toml || fail "the upgrade lost the configuration"
    dpkg-query -W -f '${Version}\n' arki-agent | grep -q -- '-2$' || fail "not upgraded"
    [ "$(identity)" = "$(cat /root/identity)" ] || fail "the upgrade lost the agent's identity"
    after=$(arki-agent status --json | grep -c '"id"' || true)
    [ "$after" -ge "$events" ] || fail "the upgrade lost events: $events before, $after after"
}

remove() {
    mkdir -p /etc/systemd/system/arki-hub-runner.service.d
    touch /etc/systemd/system/arki-hub-runner.service.d/own.conf
    mute apt-get remove -y -q arki-agent arki-hub
    ! pgrep -x 'arki-agent|arki-hub' >/dev/null || fail "a process is left: $(pgrep -a arki)"
    test -e /etc/arki/agent.toml -a -d /var/lib/arki || fail "remove took more than the program"
    mute apt-get purge -y -q arki-agent arki-hub
    left=$(find / -xdev \( -path /proc -o -path /sys -o -path /packages \) -prune -o -iname '*arki*' -print)
    [ -z "$left" ] || fail "purge left: $left"
    ! getent passwd arki-agent arki-hub || fail "purge left a user"
}

# The .rpm with its scripts, where systemd runs.
rpms() {
    local before
    rpm -i --nodeps /packages/rpm/first/*.rpm || fail "rpm -i"
    within 20 "the rpm's agent is active" systemctl is-active arki-agent
    within 20 "the rpm's hub is active" systemctl is-active arki-hub
    systemctl is-enabled arki-agent arki-hub || fail "the rpm does not enable its services"
    [ "$(ps -o user= -C arki-agent)" = arki-agent ] || fail "the agent runs as $(ps -o user= -C arki-agent)"
    id arki-agent | grep -q 'adm.*systemd-journal' || fail "the agent's groups: $(id arki-agent)"
    within 10 "the rpm's agent answers" arki-agent status --json
    arki-hub agent token >/root/token
    arki-agent enroll --hub http://127.0.0.1:8420 --token-file /root/token
    identity >/root/identity
    sed -i 's/^#interval = .*/interval = "10s"/' /etc/arki/agent.toml
    systemctl disable arki-agent # an administrator's choice
    before=$(field MainPID)

    rpm -U --nodeps /packages/rpm/second/*.rpm || fail "rpm -U"
    [ "$(rpm -q --qf '%{RELEASE}' arki-agent)" = 2 ] || fail "not upgraded: $(rpm -qa)"
    within 20 "the rpm's upgrade starts the new program" restarted "$before"
    within 20 "the agent answers after the rpm's upgrade" arki-agent status --json
    ! systemctl is-enabled --quiet arki-agent || fail "the rpm's upgrade enables what was disabled"
    grep -q '^interval = "10s"' /etc/arki/agent.toml || fail "the rpm's upgrade lost the configuration"
    grep -q 'of the second release' /etc/arki/agent.toml.rpmnew || fail "the new default is not beside the changed configuration"
    [ "$(identity)" = "$(cat /root/identity)" ] || fail "the rpm's upgrade lost the agent's identity"

    rpm -e --nodeps arki-agent arki-hub || fail "rpm -e"
    ! pgrep -x 'arki-agent|arki-hub' >/dev/null || fail "a process is left: $(pgrep -a arki)"
    test -s /var/lib/arki/identity.pub || fail "the rpm's removal took the state"
    left=$(find / -xdev \( -path /proc -o -path /sys -o -path /packages -o -path '/var/lib/arki*' \) -prune -o \
        -iname '*arki*' -not -name '*.rpmsave' -not -name '*.rpmnew' -print)
    # the configuration that was changed stays, and with it its directory
    [ "$left" = /etc/arki ] || fail "the rpm's removal left: $left"
}

"$@"
echo "ok: $1"
