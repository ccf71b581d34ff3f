#!/usr/bin/env bash
# Installs the packages for real: the .deb in a Debian that is booted with systemd, the .rpm into a root of its own.
#
#   packages.sh [DIRECTORY WITH arki-agent AND arki-hub]   (default target/debug)
#
# Needs root, debootstrap, systemd-container, rpm, dnf, cargo-deb and cargo-generate-rpm. No container engine, and nothing of this
# machine is changed.
set -euo pipefail
cd "$(dirname "$0")/../.."

missing() {
    echo "SKIPPED: the packages are not installed for real ($*)" >&2
    [ "${CI:-false}" != true ] && exit 0
    exit 1
}
[ "$(id -u)" -eq 0 ] || missing "no root"
for tool in debootstrap systemd-nspawn rpm rpmbuild dnf cargo-deb cargo-generate-rpm; do
    command -v "$tool" >/dev/null || missing "no $tool"
done
unshare --mount mount -t cgroup2 cgroup2 /sys/fs/cgroup 2>/dev/null || missing "no control groups of version 2 may be mounted here"

binaries=${1:-target/debug}
work=$PWD/target/package-test
name=arki-test-$$
machine=
leave() {
    [ -z "$machine" ] || { kill "$machine" && wait "$machine" || true; } 2>/dev/null
    rm -rf --one-file-system "$work"
}
trap leave EXIT
trap 'exit 130' INT TERM
inside() { packaging/tests/machine.sh run "$name" "$@"; }
step() { echo "== $1 ($SECONDS s)" && inside /packages/host.sh "$1"; }

echo "== deb ($SECONDS s)"
rm -rf --one-file-system "$work"
mkdir -p "$work/second" "$work/rpm/second"
packaging/build.sh --binaries "$binaries" --kind deb --out "$work/first" >/dev/null
.ci/debian target/debian-machine systemd systemd-sysv dbus adduser procps curl man-db libnss-myhostname sudo nginx-light rpm
cp -a --reflink=auto target/debian-machine "$work/root"
packaging/tests/static.sh "$work/root"
mkdir "$work/root/packages"
cp -r "$work/first" packaging/tests/host.sh "$work/root/packages"
# The other packages are made while this one boots, and not while its disk fills: a host whose work doubles just then runs a job,
# of which correlation says so.
others() {
    packaging/build.sh --binaries "$binaries" --kind rpm --out "$work/rpm/first" >/dev/null
    # A second release with another default configuration.
    for part in agent hub; do
        echo '# of the second release' >>"target/package/$part/$part.toml"
        cargo generate-rpm --payload-compress none -p "arki-$part" --set-metadata 'release = "2"' \
            --target "$(rustc -vV | sed -n 's/^host: //p')" --output "$work/rpm/second/"
    done
    for part in agent hub; do
        cargo deb --quiet --no-build --no-strip --fast -p "arki-$part" --deb-revision 2 \
            --target "$(rustc -vV | sed -n 's/^host: //p')" --output "$work/second/" >/dev/null
    done
    cp -r "$work/second" "$work/rpm" "$work/root/packages"
    packaging/tests/rpm.sh "$work/rpm" target/debian-machine
}
others >"$work/others.log" 2>&1 &
others=$!
packaging/tests/machine.sh boot "$work/root" "$name" >"$work/boot.log" 2>&1 &
machine=$!
for _ in $(seq 60); do
    inside systemctl is-system-running 2>/dev/null | grep -qE 'running|degraded' && break
    kill -0 "$machine" || { cat "$work/boot.log" >&2 && exit 1; }
    sleep 0.5
done
step install
step enroll
wait "$others" || { cat "$work/others.log" >&2 && exit 1; }
cat "$work/others.log"
inside systemd-run --quiet /packages/host.sh fill
step predicted
step killed
step opened
step applies
step upgrade
step remove
step rpms
echo "== done ($SECONDS s)"
