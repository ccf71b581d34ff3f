#!/usr/bin/env bash
# The version stands in Cargo.toml. Where a file of another kind has to say it as well, it says the same.
set -euo pipefail
cd "$(dirname "$0")/../.."

version=$(sed -n '/^\[workspace.package\]/,/^\[/s/^version = "\(.*\)"/\1/p' Cargo.toml)
[ -n "$version" ] || { echo "Cargo.toml states no version under [workspace.package]" >&2 && exit 1; }
failed=no
says() { # file, what it has to say, as it stands there
    grep -qF -- "$2" "$1" || { echo "$1: not of version $version, which Cargo.toml states (expected: $2)" >&2 && failed=yes; }
}
says grafana-plugin/package.json "\"version\": \"$version\""
says grafana-plugin/CHANGELOG.md "## $version"
[ "$(grep -cF "\"version\": \"$version\"" <(head -n 10 grafana-plugin/package-lock.json))" -eq 2 ] ||
    { echo "grafana-plugin/package-lock.json: not of version $version (npm install --package-lock-only)" >&2 && failed=yes; }
for readme in README.md README.es.md; do
    says "$readme" "arki-agent_$version-1_amd64.deb"
    says "$readme" "arki-agent-$version-1.x86_64.rpm"
done
[ "$failed" = no ] && echo "version $version everywhere"
