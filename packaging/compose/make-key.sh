#!/bin/bash
# Makes Grafana's API key once; the volume keeps it. Only Grafana's container mounts the volume too.
set -euo pipefail
file=${1:-/run/arki/grafana.key}
[ -s "$file" ] && exit 0
key=$(arki-hub key create grafana --scope sandbox)
# Grafana runs as another user
(umask 022 && printf '%s' "$key" >"$file.new" && mv "$file.new" "$file")
