if [ -d /run/systemd/system ]; then
    systemctl daemon-reload || :
    if [ "$1" -eq 1 ]; then systemctl enable --now arki-agent.service || :; fi
elif [ "$1" -eq 1 ]; then
    systemctl --no-reload enable arki-agent.service >/dev/null 2>&1 || :
fi
exit 0
