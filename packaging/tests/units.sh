#!/usr/bin/env bash
# The units are as closed as promised: `systemd-analyze security` at 2.0 or better, and no directive that systemd does not know.
set -euo pipefail
cd "$(dirname "$0")/../systemd"
command -v systemd-analyze >/dev/null || {
    echo "SKIPPED: the units' exposure (systemd-analyze is not installed)" >&2
    [ "${CI:-false}" != true ]
    exit
}
for unit in *.service; do
    # --threshold takes ten times the score.
    systemd-analyze security --offline=yes --threshold=20 "$unit" | tail -n 1
    unknown=$(systemd-analyze verify "./$unit" 2>&1 | grep -iE 'unknown|invalid|failed to parse|ignoring' || true)
    [ -z "$unknown" ] || { echo "$unit: $unknown" >&2 && exit 1; }
done
