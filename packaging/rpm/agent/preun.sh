# $1: 0 at the removal, 1 at an upgrade.
if [ "$1" -eq 0 ]; then
    systemctl --no-reload disable arki-agent.service >/dev/null 2>&1 || :
    if [ -d /run/systemd/system ]; then systemctl stop arki-agent.service || :; fi
fi
exit 0
