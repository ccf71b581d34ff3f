#!/usr/bin/env bash
# Makes the passwords that docker-compose.yaml names, where they are missing. The folder is for its owner only; the files
# in it can be read by whoever gets them mounted, because containers have users of their own.
set -euo pipefail
cd "$(dirname "$0")"
install -d -m 0700 secrets
for name in database_password reader_password grafana_password; do
    [ -s "secrets/$name" ] && continue
    head -c 24 /dev/urandom | base64 | tr -d '\n/+=' >"secrets/$name"
    chmod 0644 "secrets/$name"
done
echo "Grafana: user admin, password $(cat secrets/grafana_password)"
