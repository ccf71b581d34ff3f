#!/usr/bin/env bash
# Installs the packages for real: the .deb on a Debian with systemd in a container, the .rpm into a root of its own.
#
#   packages.sh [DIRECTORY WITH arki-agent AND arki-hub]   (default target/debug)
#
# Needs root, a Docker engine (DOCKER_HOST, or the one that .ci/docker starts), debootstrap, rpm and dnf.
set -euo pipefail
cd "$(dirname "$0")/../.."

missing() {
    echo "SKIPPED: the packages are not installed for real ($*)" >&2
    [ "${CI:-false}" != true ] && exit 0
    exit 1
}
[ "$(id -u)" -eq 0 ] || missing "no root"
for tool in docker debootstrap rpm dnf cargo-deb cargo-generate-rpm; do
    command -v "$tool" >/dev/null || missing "no $tool"
done
docker info >/dev/null 2>&1 || missing "no Docker engine answers"

binaries=${1:-target/debug}
work=target/package-test
image=arki-test-systemd
name=arki-test-host-$$
leave() {
    docker rm -f "$name" >/dev/null 2>&1 || true
}
trap leave EXIT INT TERM

echo "== packages"
rm -rf "$work"
mkdir -p "$work/second"
packaging/build.sh --binaries "$binaries" --out "$work/first" >/dev/null
for part in agent hub; do
    cargo deb --quiet --no-build --no-strip -p "arki-$part" --deb-revision 2 \
        --target "$(rustc -vV | sed -n 's/^host: //p')" --output "$work/second/"
done
(cd "$work/first" && sha256sum --quiet -c SHA256SUMS)

if ! docker image inspect "$image" >/dev/null 2>&1; then
    echo "== a Debian with systemd"
    root=$(mktemp -d)
    mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | head -n 1) # the one that this host uses
    debootstrap --variant=minbase --include=systemd,systemd-sysv,dbus,adduser,procps,curl,man-db bookworm "$root" "$mirror" >"$work/debootstrap.log"
    rm -rf "$root"/usr/share/doc/* "$root"/var/cache/apt/archives/*.deb
    tar -C "$root" -c . | docker import - "$image" >/dev/null
    rm -rf "$root"
fi

echo "== deb"
docker run -d --name "$name" --network none --cap-add SYS_ADMIN --security-opt seccomp=unconfined --cgroupns host \
    -v /sys/fs/cgroup:/sys/fs/cgroup:rw --tmpfs /run:exec --tmpfs /run/lock --tmpfs /srv/data:size=64m \
    --stop-signal SIGRTMIN+3 -e container=docker "$image" /sbin/init >/dev/null
docker cp -q "$work" "$name:/packages" 2>/dev/null || docker cp "$work" "$name:/packages"
docker cp packaging/tests/host.sh "$name:/packages/host.sh"
step() { docker exec "$name" /packages/host.sh "$1"; }
for _ in $(seq 60); do
    docker exec "$name" systemctl is-system-running 2>/dev/null | grep -qE 'running|degraded' && break
    sleep 0.5
done
step install
step enroll
docker exec -d "$name" /packages/host.sh fill

# While the disk fills:
packaging/tests/rpm.sh "$work/first"

step predicted
step killed
step upgrade
step remove
