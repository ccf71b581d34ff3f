#!/usr/bin/env bash
# Builds the packages: packaging/build.sh [--target TRIPLE] [--out DIR] [--binaries DIR] [--kind KIND] [--release]
#
#   --target     what for (default: this machine); aarch64-unknown-linux-gnu needs `rustup target add` and
#                gcc-aarch64-linux-gnu
#   --out        where the packages go (default dist)
#   --binaries   package these binaries instead of building the release (the tests of the packages do so)
#   --kind       deb or rpm (default both)
#   --release    also the static binaries with their licences, the bills of materials, the plugin for Grafana (needs Node.js 20 or
#                newer and npm), and SHA256SUMS over everything of this version
#
# Makes a .deb and a .rpm of the agent and of the hub.
set -euo pipefail
cd "$(dirname "$0")/.."

host=$(rustc -vV | sed -n 's/^host: //p')
target=$host out=dist binaries= kind='deb rpm' release=no
while [ $# -gt 0 ]; do
    case "$1" in
    --target) target=$2 && shift ;;
    --out) out=$2 && shift ;;
    --binaries) binaries=$2 && shift ;;
    --kind) kind=$2 && shift ;;
    --release) release=yes ;;
    *) sed -n '2,12p' "$0" >&2 && exit 64 ;;
    esac
    shift
done
makes() { [[ " $kind " == *" $1 "* ]]; }
need() { command -v "$1" >/dev/null || { echo "$1 is missing: cargo install --locked $1" >&2 && exit 1; }; }
! makes deb || need cargo-deb
! makes rpm || need cargo-generate-rpm
packaging/tests/version.sh

# Everything that both tools take lies where a release build for the target would put it.
built=target/$target/release
if [ -z "$binaries" ]; then
    export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=aarch64-linux-gnu-gcc
    export CC_aarch64_unknown_linux_gnu=aarch64-linux-gnu-gcc
    RUSTFLAGS="-C target-feature=+crt-static" \
        cargo build --release --locked --target "$target" -p arki-agent -p arki-hub
elif [ "$(realpath "$binaries")" != "$(realpath -m "$built")" ]; then
    mkdir -p "$built"
    for name in arki-agent arki-hub; do
        rm -f "$built/$name" # what lies there may be linked to what cargo keeps
        strip -o "$built/$name" "$binaries/$name"
    done
fi

# A package that is made to be tried is not compressed for minutes.
# gzip: the oldest rpm that counts (RHEL 8) reads it in any build.
compression=() rpm_compression=gzip
[ -z "$binaries" ] || compression=(--fast) rpm_compression=none

# With the flags of the tests, so that nothing is compiled a second time for it.
cargo build --quiet --workspace --all-features --locked --example agent_manual --example hub_manual

version=$(cargo pkgid -p arki-agent | sed 's/.*[#@]//')
mkdir -p "$out"
for part in agent hub; do
    made=target/package/$part
    rm -rf "$made"
    mkdir -p "$made"
    cp "packaging/config/$part.toml" "$made/"
    "target/debug/examples/${part}_manual" "$made"
    printf 'arki-%s (%s-1) stable; urgency=medium\n\n  * Release %s.\n\n -- The Arki project <arki@arki.invalid>  %s\n' \
        "$part" "$version" "$version" "$(git log -1 --format=%cD 2>/dev/null || date -R)" >"$made/changelog"
    python3 packaging/licences.py "arki-$part" "$target" "$made/LICENCES.txt" "$made/sbom.json"
    ! makes deb || cargo deb --quiet --no-build --no-strip "${compression[@]}" -p "arki-$part" --target "$target" --output "$out/"
    gzip -9nk "$made"/man1/*.1
    ! makes rpm || cargo generate-rpm --payload-compress "$rpm_compression" -p "arki-$part" --target "$target" --output "$out/"
    [ "$release" = yes ] || continue
    name=$out/arki-$part-$version-${target%%-*}
    install -m 0755 "$built/arki-$part" "$name"
    install -m 0644 "$made/sbom.json" "$name.cdx.json"
    cat LICENSE "$made/LICENCES.txt" >"$name.licences.txt"
done
if [ "$release" = yes ]; then
    packaging/plugin.sh "$out/arki-app-$version.zip"
    (cd "$out" && sha256sum -- arki-*[-_]"$version"[-.]* >SHA256SUMS)
fi
ls -l "$out"
