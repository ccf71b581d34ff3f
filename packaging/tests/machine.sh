#!/usr/bin/env bash
# A Debian that has been booted: systemd is process 1 in namespaces of its own (systemd-nspawn), without a network.
#
#   machine.sh boot DIRECTORY NAME        boots it and stays until SIGTERM shuts it down; an ext4 of 64 MB is at /srv/data
#   machine.sh run NAME COMMAND...         runs a command in it; fails as long as it is not booted
#
# Nothing of this machine's control groups is changed: in a mount namespace of its own the booted systemd sees a version 2
# hierarchy with one group to itself, whatever is mounted here. (One that is handed the hierarchies of this machine mounts those
# that are missing, and the figures of every container read 0 until they are gone.)
set -euo pipefail

boot() { # directory, name
    if [ "${IN_OWN_NAMESPACE:-}" != yes ]; then
        IN_OWN_NAMESPACE=yes exec unshare --mount --propagation private "$0" boot "$@"
    fi
    local directory=$1 name=$2 disk=$1.disk group=/sys/fs/cgroup/$2 machine
    mount -t cgroup2 cgroup2 /sys/fs/cgroup
    mkdir "$group"
    echo 0 >"$group/cgroup.procs"
    # in memory: it fills as steadily as it is written to, whatever this machine's disk does meanwhile
    mkdir "$disk"
    mount -t tmpfs -o size=80m disk "$disk"
    truncate -s 64M "$disk/image"
    mkfs.ext4 -q "$disk/image"
    mkdir "$disk/mount"
    mount -o loop "$disk/image" "$disk/mount"

    trap 'kill "$machine"' TERM INT
    # --register=no --keep-unit: there need not be a systemd on this machine
    systemd-nspawn --quiet --boot --register=no --keep-unit --console=pipe --private-network --directory "$directory" \
        --machine "$name" --bind "$disk/mount:/srv/data" </dev/null &
    machine=$!
    until wait "$machine" || ! kill -0 "$machine" 2>/dev/null; do :; done # a signal ends the wait, not the machine

    echo 0 >/sys/fs/cgroup/cgroup.procs
    find "$group" -depth -type d -exec rmdir {} \;
}

run() { # name, command...
    local nspawn first
    nspawn=$(pgrep -f "^systemd-nspawn .*--machine $1 ")
    first=$(pgrep -P "$nspawn")
    shift
    nsenter --target "$first" --mount --uts --ipc --net --pid --cgroup --root --wd \
        env -i LC_ALL=C.UTF-8 HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin "$@"
}

"$@"
