if [ -d /run/systemd/system ]; then
    systemctl daemon-reload || :
    if [ "$1" -ge 1 ]; then systemctl try-restart arki-hub.service || :; fi
fi
# The package owns its files only; empty directories go with the last of them.
if [ "$1" -eq 0 ]; then
    rmdir --ignore-fail-on-non-empty /etc/arki /usr/share/doc/arki-hub /usr/share/licenses/arki-hub /usr/share/arki 2>/dev/null || :
fi
exit 0
