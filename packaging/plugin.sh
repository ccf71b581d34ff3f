#!/usr/bin/env bash
# The plugin for Grafana as one file: plugin.sh FILE.zip, with everything below arki-app/ as Grafana wants it
# (`grafana cli --pluginUrl`, or unpacked into the directory of the plugins). Needs Node.js 20 or newer and npm.
set -euo pipefail
zip=$(realpath -m "$1")
cd "$(dirname "$0")/../grafana-plugin"
command -v npm >/dev/null || { echo "npm is missing: the plugin for Grafana is built with it (Node.js 20 or newer)" >&2 && exit 1; }

[ node_modules/.package-lock.json -nt package-lock.json ] || npm ci --no-audit --no-fund --loglevel=error >&2
npm run -s build >&2
python3 - dist "$zip" <<'PYTHON'
import pathlib
import sys
import zipfile

dist, into = map(pathlib.Path, sys.argv[1:])
with zipfile.ZipFile(into, "w", zipfile.ZIP_DEFLATED) as archive:
    for file in sorted(file for file in dist.rglob("*") if file.is_file()):
        # One time for all of them: the same files give the same bytes.
        entry = zipfile.ZipInfo(f"arki-app/{file.relative_to(dist)}", (1980, 1, 1, 0, 0, 0))
        entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o100644 << 16
        archive.writestr(entry, file.read_bytes())
for needed in ("plugin.json", "module.js", "LICENSE", "README.md", "CHANGELOG.md"):
    if f"arki-app/{needed}" not in zipfile.ZipFile(into).namelist():
        sys.exit(f"{into} holds no {needed}")
PYTHON
