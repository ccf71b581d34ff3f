#!/bin/sh
# Lets the user `arki_reader` read what the dashboards show.
set -eu
PGPASSWORD=$(cat /run/secrets/database_password)
export PGPASSWORD
exec psql -X -q -h timescaledb -U arki -d arki -v ON_ERROR_STOP=1 \
    -v password="$(cat /run/secrets/reader_password)" -f /reader.sql
