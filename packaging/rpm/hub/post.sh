if [ -d /run/systemd/system ]; then
    systemctl daemon-reload || :
    if [ "$1" -eq 1 ]; then systemctl enable --now arki-hub.service || :; fi
elif [ "$1" -eq 1 ]; then
    systemctl --no-reload enable arki-hub.service >/dev/null 2>&1 || :
fi
exit 0
