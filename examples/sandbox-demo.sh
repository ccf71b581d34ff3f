#!/usr/bin/env bash
# One trial in the sandbox, at the end of the demonstration: `nginx -s reload` on a copy, with an image that is made for
# it where there is none. Needs a Docker socket that this user may open; says so where there is none.
#
#   examples/sandbox-demo.sh PATH/TO/arki-hub
set -euo pipefail
hub=${1:?the arki-hub program}
socket=${DOCKER_HOST:-unix:///run/docker.sock}
if [ ! -w "${socket#unix://}" ]; then
    echo "No trial is shown: there is no container engine at $socket that this user may use (install docker.io, or set DOCKER_HOST)."
    exit 0
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cat >"$work/hub.toml" <<TOML
[database]
url = "sqlite://$work/hub.db"
[sandbox]
docker = "$socket"
TOML
image=$(curl --silent --unix-socket "${socket#unix://}" http://engine/images/arki-sandbox/nginx:latest/json 2>/dev/null |
    grep -oE '"Id":"sha256:[0-9a-f]{64}"' | head -n 1 | cut -d'"' -f4) || true
if [ -n "$image" ]; then
    printf '[sandbox.images]\nnginx = "%s"\n' "$image" >>"$work/hub.toml"
else
    # As root with debootstrap from Debian's packages, else by the engine over Debian's image of its registry.
    echo "The image is made first; this takes a minute or two."
    if ! "$hub" sandbox images build --service nginx --config "$work/hub.toml"; then
        echo "No trial is shown: the image could not be made (above says why)."
        exit 0
    fi
fi
echo '$ arki-hub sandbox run nginx reload'
"$hub" sandbox run nginx reload --config "$work/hub.toml"
