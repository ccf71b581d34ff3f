# $1: 0 at the removal, 1 at an upgrade.
if [ "$1" -eq 0 ]; then
    systemctl --no-reload disable arki-hub.service >/dev/null 2>&1 || :
    if [ -d /run/systemd/system ]; then systemctl stop arki-hub.service || :; fi
fi
exit 0
