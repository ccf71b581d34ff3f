# The user comes before the files ($1: 1 at the first installation, 2 at an upgrade).
getent group arki-hub >/dev/null || groupadd -r arki-hub
getent passwd arki-hub >/dev/null ||
    useradd -r -g arki-hub -d /var/lib/arki-hub -s /usr/sbin/nologin -c "Arki hub" arki-hub

exit 0
