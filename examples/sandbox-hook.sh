#!/usr/bin/env bash
# Asks a hub for a trial by its webhook, signed with openssl, and prints the run.
#
#   ARKI_HUB=http://127.0.0.1:8420 ARKI_HOOK_SECRET_FILE=/etc/arki/sandbox-hook.secret \
#       examples/sandbox-hook.sh nginx reload [AGENT]
#
# The hub's configuration: [[sandbox.hook]] name = "deploy", secret_files = ["/etc/arki/sandbox-hook.secret"], and
# post_to where the result shall go (signed the same way: X-Arki-Timestamp and X-Arki-Signature).
set -euo pipefail
hub=${ARKI_HUB:-http://127.0.0.1:8420}
secret=$(tr -d '\r\n' <"${ARKI_HOOK_SECRET_FILE:?a file that holds the secret}")
service=${1:?the service, such as nginx} action=${2:?the action, such as test} agent=${3:-}

body="{\"service\":\"$service\",\"action\":\"$action\"${agent:+,\"agent\":\"$agent\"}}"
now=$(date +%s)
# the signature covers the time and the body; openssl takes the key in hexadecimal digits, so that no byte of it is
# anything else than a byte
key=$(printf %s "$secret" | od -An -tx1 | tr -d ' \n')
signature=$(printf '%s.%s' "$now" "$body" | openssl dgst -sha256 -mac HMAC -macopt "hexkey:$key" | sed 's/^.*= *//')

exec curl --silent --show-error --fail-with-body --max-time 30 \
    --header 'Content-Type: application/json' \
    --header "X-Arki-Timestamp: $now" \
    --header "X-Arki-Signature: sha256=$signature" \
    --data-binary "$body" "$hub/v1/hooks/sandbox"
