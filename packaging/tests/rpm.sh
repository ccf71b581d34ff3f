#!/usr/bin/env bash
# The .rpm where no systemd runs, as when an image is built: by rpm with its scripts in a copy of a Debian, and by dnf, which
# resolves what the packages ask for. rpm.sh DIRECTORY DEBIAN: DIRECTORY/first and DIRECTORY/second hold two releases.
set -euo pipefail
packages=$(realpath "$1")
debian=$(realpath "$2")
scratch=$(mktemp -d -p "$packages")
trap 'rm -rf --one-file-system "$scratch"' EXIT
fail() { echo "FAILED: $*" >&2 && exit 1; }

echo "== rpm in an image"
for part in agent hub; do
    rpm -qp --qf '%{NAME} %{VERSION} %{ARCH} %{LICENSE}\n' "$packages"/first/arki-$part-*.rpm
done
root=$scratch/image
cp -a --reflink=auto "$debian" "$root"
cp -r "$packages/first" "$packages/second" "$root/root"
# With /proc, which goes with the command.
inside() {
    unshare --mount --propagation private sh -c 'mount -t proc proc "$0/proc" && exec chroot "$0" /usr/bin/env -i LC_ALL=C.UTF-8 \
        PATH=/usr/sbin:/usr/bin:/sbin:/bin "$@"' "$root" "$@"
}
# rpm isolates scripts by mount namespaces, which a chroot is no place for.
with_rpm() { inside rpm --noplugins --nodeps "$@"; }
with_rpm -i $(cd "$root" && ls root/first/*.rpm | sed 's,^,/,')
inside rpm -V --nodeps arki-agent arki-hub
[ "$(inside rpm -qc arki-agent)" = /etc/arki/agent.toml ] || fail "the configuration is not marked as such"
inside id -nG arki-agent | grep -qw adm || fail "the agent's user is not in adm"
inside systemctl is-enabled --quiet arki-agent arki-hub || fail "the services are not enabled in an image"
inside arki-agent --version
echo 'interval = "10s"' >>"$root/etc/arki/agent.toml"
inside systemctl disable --quiet arki-agent
with_rpm -U $(cd "$root" && ls root/second/*.rpm | sed 's,^,/,')
[ "$(inside rpm -q --qf '%{RELEASE}' arki-agent)" = 2 ] || fail "not upgraded"
! inside systemctl is-enabled --quiet arki-agent || fail "the upgrade enabled what was disabled"
inside systemctl is-enabled --quiet arki-hub || fail "the upgrade disabled a service"
grep -q '^interval' "$root/etc/arki/agent.toml" || fail "a changed configuration was overwritten"
grep -q 'of the second release' "$root/etc/arki/agent.toml.rpmnew" || fail "the new default is not beside the changed one"
grep -q 'of the second release' "$root/etc/arki/hub.toml" || fail "an unchanged configuration was not replaced"
with_rpm -e arki-agent arki-hub
left=$(find "$root" -path "$root/root" -prune -o -iname '*arki*' -not -name '*.rpmsave' -print)
[ "$left" = "$root/etc/arki" ] || fail "removal left $left" # the changed configuration is in there
rm -rf --one-file-system "$root"

echo "== dnf"
# An empty root has no shell and no users' tools; a package that says that it is them lets dnf resolve what ours asks for.
build=$scratch/build
root=$scratch/dnf
mkdir "$root"
printf 'Name: stand-in\nProvides: /bin/sh /usr/sbin/useradd\nVersion: 1\nRelease: 1\nSummary: stand-in\nLicense: none\nBuildArch: noarch\n%%description\nStand-in.\n%%files\n' >"$scratch/stand-in.spec"
rpmbuild -bb --quiet --define "_topdir $build" "$scratch/stand-in.spec"
in_root() { dnf -y -q --installroot "$root" --disablerepo='*' --releasever=8 --setopt=tsflags=noscripts --nogpgcheck "$@"; }
! in_root install "$packages"/first/*.rpm >/dev/null 2>&1 || fail "dnf installs without a shell and users' tools"
in_root install "$build"/RPMS/noarch/*.rpm "$packages"/first/*.rpm
"$root/usr/bin/arki-hub" --version
in_root remove arki-agent arki-hub
left=$(find "$root" -path "$root/var/log" -prune -o -path "$root/var/lib/dnf" -prune -o -type f -iname '*arki*' -not -name '*.rpmsave' -print)
[ -z "$left" ] || fail "dnf remove left $left"
echo "ok: rpm and dnf"
