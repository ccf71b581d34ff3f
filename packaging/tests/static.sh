#!/usr/bin/env bash
# static.sh ROOT: a static program looks names up where the host has another C library and plug-ins for names.
# Without arki-names it dies there with a signal (SIGFPE: glibc 2.36 linked in, libnss_myhostname of 2.41 on the host).
set -euo pipefail
cd "$(dirname "$0")/../.."

root=$1
target=$(rustc -vV | sed -n 's/^host: //p')
RUSTFLAGS="-C target-feature=+crt-static" cargo build --quiet --locked -p arki-names --example lookup --target "$target" \
    --target-dir target/static
install "target/static/$target/debug/examples/lookup" "$root/lookup"
ls "$root"/usr/lib/*/libnss_myhostname.so.2 >/dev/null
echo 'hosts: files myhostname dns' >"$root/etc/nsswitch.conf"
echo '127.0.0.1 localhost' >"$root/etc/hosts"
[ "$(chroot "$root" /lookup localhost)" = 127.0.0.1:443 ]
code=0
chroot "$root" /lookup no-such-name.invalid 2>/dev/null || code=$?
[ "$code" -eq 1 ] || { echo "FAILED: a name that nobody knows ends a static program with $code" >&2 && exit 1; }
rm "$root/lookup"
echo "ok: static"
