# The user comes before the files ($1: 1 at the first installation, 2 at an upgrade).
getent group arki-agent >/dev/null || groupadd -r arki-agent
getent passwd arki-agent >/dev/null ||
    useradd -r -g arki-agent -d /var/lib/arki -s /usr/sbin/nologin -c "Arki agent" arki-agent
for group in adm systemd-journal; do
    if getent group "$group" >/dev/null; then usermod -a -G "$group" arki-agent; fi
done
exit 0
