#!/bin/sh
# Measures the shapes of shapes.sql on a throw-away PostgreSQL: run.sh [ROWS].
# As root the server runs as user postgres, since initdb refuses to run as root.
set -eu
rows=${1:-200000}
here=$(cd "$(dirname "$0")" && pwd)
folder=$(mktemp -d "${TMPDIR:-/tmp}/orgdesk-shapes-XXXXXX")
if [ "$(id -u)" = 0 ]; then
    chown postgres "$folder"
    run() { setpriv --reuid=postgres --regid="$(id -g postgres)" --clear-groups -- "$@"; }
else
    run() { "$@"; }
fi
end() {
    run pg_ctl stop -D "$folder/data" -m immediate -w >/dev/null 2>&1 || true
    rm -rf "$folder"
}
trap end EXIT
cd "$folder"
run initdb -D "$folder/data" --username=postgres --auth=trust --encoding=UTF8 --locale=C.UTF-8 --no-sync >/dev/null
run pg_ctl start -D "$folder/data" -w -l "$folder/data/log" \
    -o "-c listen_addresses= -c unix_socket_directories=$folder -c shared_buffers=512MB -c max_wal_size=4GB -c maintenance_work_mem=256MB -c max_parallel_workers_per_gather=0" >/dev/null
psql -h "$folder" -U postgres -d postgres -X -q -v rows="$rows" -f "$here/shapes.sql"
