#!/usr/bin/env bash
# The units are as closed as promised: `systemd-analyze security` at 2.0 or better, and no directive that systemd does not know; each
# opt-in drop-in opens as much as its head says.
set -euo pipefail
cd "$(dirname "$0")/../systemd"
command -v systemd-analyze >/dev/null || {
    echo "SKIPPED: the units' exposure (systemd-analyze is not installed)" >&2
    [ "${CI:-false}" != true ]
    exit
}
fail() { echo "FAILED: $*" >&2 && exit 1; }
known() { # unit
    local unknown
    unknown=$(systemd-analyze verify "$1" 2>&1 | grep -iE 'unknown|invalid|failed to parse|ignoring' || true)
    [ -z "$unknown" ] || fail "$1: $unknown"
}
for unit in *.service; do
    # --threshold takes ten times the score.
    systemd-analyze security --offline=yes --threshold=20 "$unit" | tail -n 1
    known "./$unit"
    # RHEL 8: "SystemCallErrorNumber" in the units says why.
    grep -qx 'SystemCallErrorNumber=ENOSYS' "$unit" || fail "$unit: a call that systemd does not know must fail with ENOSYS"
done

with=$(mktemp -d)
trap 'rm -r "$with"' EXIT
for dropin in optional/*.conf; do
    # The last assignment counts, as in a drop-in; the head of a file of its own says nothing but [Service].
    sed -n '1,/^\[Install\]/{/^\[Install\]/!p}' arki-agent.service | cat - "$dropin" >"$with/arki-agent.service"
    score=$(systemd-analyze security --offline=yes "$with/arki-agent.service" | sed -nE 's/.*level for [^:]*: ([0-9.]+).*/\1/p')
    grep -qF "then says $score instead" "$dropin" || fail "$dropin: the score is $score with it, its head says another"
    known "$with/arki-agent.service"
    echo "  with $dropin: $score"
done
# Before systemd 254 each of these implies NoNewPrivileges=yes in a unit with User=, and sudo ends there.
implies='SystemCallFilter|SystemCallArchitectures|RestrictAddressFamilies|RestrictNamespaces|RestrictRealtime|RestrictSUIDSGID'
implies+='|LockPersonality|MemoryDenyWriteExecute|PrivateDevices|ProtectKernel[A-Za-z]*|ProtectClock|ProtectHostname|NoNewPrivileges'
for setting in $(sed -nE "s/^($implies)=.*/\1/p" arki-agent.service | sort -u); do
    grep -qxE "$setting=(no)?" optional/arki-agent-apply.conf || fail "optional/arki-agent-apply.conf leaves $setting= on: sudo ends there"
done
