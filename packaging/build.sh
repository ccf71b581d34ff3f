#!/usr/bin/env bash
# Builds the packages: packaging/build.sh [--target TRIPLE] [--out DIR] [--binaries DIR]
#
#   --target     what for (default: this machine); aarch64-unknown-linux-gnu needs `rustup target add` and
#                gcc-aarch64-linux-gnu
#   --out        where the packages go (default dist)
#   --binaries   package these binaries instead of building the release (the tests of the packages do so)
#
# Makes, for the agent and the hub: .deb, .rpm, a static binary, a bill of materials, and SHA256SUMS over all of them.
set -euo pipefail
cd "$(dirname "$0")/.."

host=$(rustc -vV | sed -n 's/^host: //p')
target=$host out=dist binaries=
while [ $# -gt 0 ]; do
    case "$1" in
    --target) target=$2 ;;
    --out) out=$2 ;;
    --binaries) binaries=$2 ;;
    *) sed -n '2,9p' "$0" >&2 && exit 64 ;;
    esac
    shift 2
done
for tool in cargo-deb cargo-generate-rpm; do
    command -v "$tool" >/dev/null || { echo "$tool is missing: cargo install --locked $tool" >&2 && exit 1; }
done

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
        strip -o "$built/$name" "$binaries/$name"
    done
fi

version=$(cargo pkgid -p arki-agent | sed 's/.*[#@]//')
mkdir -p "$out"
for part in agent hub; do
    made=target/package/$part
    rm -rf "$made"
    mkdir -p "$made"
    cargo run --quiet --locked -p "arki-$part" --example manual -- "$made"
    python3 packaging/licences.py "arki-$part" "$target" "$made/LICENCES.txt" "$out/arki-$part-$version.cdx.json"
    cargo deb --quiet --no-build --no-strip -p "arki-$part" --target "$target" --output "$out/"
    gzip -9n "$made"/man1/*.1
    # gzip: the oldest rpm that counts (RHEL 8) reads it in any build
    cargo generate-rpm --payload-compress gzip -p "arki-$part" --target "$target" --output "$out/"
    gunzip "$made"/man1/*.1.gz
    install -m 0755 "$built/arki-$part" "$out/arki-$part-$version-${target%%-*}"
done
(cd "$out" && rm -f SHA256SUMS && sha256sum -- * >SHA256SUMS)
ls -l "$out"
