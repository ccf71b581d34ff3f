#!/usr/bin/env bash
# Installs, verifies and removes the .rpm packages in a root of its own, with rpm and with dnf: rpm.sh DIRECTORY
set -euo pipefail
packages=$(realpath "$1")
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT

echo "== rpm"
for part in agent hub; do
    rpm -qp --qf '%{NAME} %{VERSION} %{ARCH} %{LICENSE}\n' "$packages"/arki-$part-*.rpm
done
# Scripts need a shell and users in the root; there is none, so they are read, not run.
rpm --root "$root" --initdb
rpm --root "$root" -i --nodeps --noscripts "$packages"/*.rpm
rpm --root "$root" -V --nodeps arki-agent arki-hub
[ "$(rpm --root "$root" -qc arki-agent)" = /etc/arki/agent.toml ]
scripts=$(rpm -qp --scripts "$packages"/arki-agent-*.rpm | grep -cE '^(pre|post)(un)?install scriptlet')
[ "$scripts" -eq 4 ] || { echo "FAILED: $scripts of 4 scripts in the package" >&2 && exit 1; }
"$root/usr/bin/arki-agent" --version
echo 'interval = "10s"' >>"$root/etc/arki/agent.toml"
rpm --root "$root" -i --nodeps --noscripts --replacepkgs "$packages"/arki-agent-*.rpm
grep -q '^interval' "$root/etc/arki/agent.toml" || { echo "FAILED: a changed configuration was overwritten" >&2 && exit 1; }
rpm --root "$root" -e --nodeps --noscripts arki-agent arki-hub
left=$(find "$root" -type f -iname '*arki*' -not -name '*.rpmsave') # empty directories go by the scripts
[ -z "$left" ] || { echo "FAILED: removal left $left" >&2 && exit 1; }

echo "== dnf"
# An empty root has no shell and no users' tools; a package that says that it is them lets dnf resolve what ours asks for.
build=$(mktemp -d)
trap 'rm -rf "$root" "$build"' EXIT
printf 'Name: shadow-utils\nProvides: /bin/sh\nVersion: 1\nRelease: 1\nSummary: stand-in\nLicense: none\nBuildArch: noarch\n%%description\nStand-in.\n%%files\n' >"$build/stand-in.spec"
rpmbuild -bb --quiet --define "_topdir $build" "$build/stand-in.spec"
rm -rf "$root" && mkdir "$root"
in_root() { dnf -y -q --installroot "$root" --disablerepo='*' --releasever=8 --setopt=tsflags=noscripts --nogpgcheck "$@"; }
in_root install "$build"/RPMS/noarch/*.rpm "$packages"/*.rpm
"$root/usr/bin/arki-hub" --version
in_root remove arki-agent arki-hub
left=$(find "$root" -path "$root/var/log" -prune -o -path "$root/var/lib/dnf" -prune -o -type f -iname '*arki*' -not -name '*.rpmsave' -print)
[ -z "$left" ] || { echo "FAILED: dnf remove left $left" >&2 && exit 1; }
echo "ok: rpm and dnf"
