# Starts a throw-away PostgreSQL cluster, says "ready", and removes it once standard input is closed. The test process
# holds the other end of that pipe, so nothing is left behind however it ends, SIGKILL included.
# Arguments: the folder of the server's programs, a free port, and what it is: "alone", "copied" (others may be made its
# standbys), or the address of the server that it is a standby of. Environment: CLUSTER_PASSWORD, that of user "postgres".
set -u
programs=$1
port=$2
role=$3

if [ "$(id -u)" != 0 ]; then
    run() { "$@"; }
else
    # initdb refuses to run as root.
    user=postgres
    id "$user" >/dev/null 2>&1 || user=nobody
    if command -v setpriv >/dev/null; then
        run() { setpriv --reuid="$user" --regid="$(id -g "$user")" --clear-groups -- "$@"; }
    elif command -v runuser >/dev/null; then
        run() { runuser -u "$user" -- "$@"; }
    else
        run() { su -s /bin/sh "$user" -c '"$0" "$@"' -- "$@"; }
    fi
fi

remove() {
    run "$programs/pg_ctl" stop -D "$folder/data" -m immediate -w -t 20 >/dev/null 2>&1 ||
        { read -r server <"$folder/data/postmaster.pid" && kill -KILL "$server"; } 2>/dev/null
    rm -rf "$folder"
}
trap 'exit 1' INT TERM HUP
trap remove EXIT
folder=$(mktemp -d "${TMPDIR:-/tmp}/orgdesk-postgresql-XXXXXX") || exit 1
cd "$folder" || exit 1

umask 077
printf '%s\n' "$CLUSTER_PASSWORD" >"$folder/password"
unset CLUSTER_PASSWORD
[ "$(id -u)" != 0 ] || chown -R "$user" "$folder"

# C.UTF-8 knows the case of letters outside ASCII, as a production cluster does; the C locale is what is always there.
# SCRAM costs a debug build 20 ms of hashing for every connection; md5 will be gone from later servers.
make() {
    run "$programs/initdb" -D "$folder/data" --username=postgres --pwfile="$folder/password" --encoding=UTF8 \
        --no-sync --no-instructions "$@" >"$folder/initdb" 2>&1
}
copy() {
    # Some of the programs may be links.
    run "$(dirname "$(readlink -f "$programs/postgres")")/pg_basebackup" --dbname="$role" --pgdata="$folder/data" --write-recovery-conf --wal-method=stream \
        --checkpoint=fast --no-sync --create-slot --slot="standby_$port" >"$folder/initdb" 2>&1
}
case $role in
postgres*) copy ;;
*) make --auth=md5 --locale=C.UTF-8 || make --auth=md5 --no-locale || make --auth=scram-sha-256 --no-locale ;;
esac || {
    cat "$folder/initdb"
    exit 1
}

cat >>"$folder/data/postgresql.conf" <<END
listen_addresses = '127.0.0.1'
port = $port
unix_socket_directories = '$folder'
max_connections = 300
shared_buffers = 32MB
fsync = off
synchronous_commit = off
full_page_writes = off
wal_level = minimal
max_wal_senders = 0
max_wal_size = 256MB
autovacuum = off
jit = off
timezone = 'UTC'
END

case $role in
alone) ;;
*) cat >>"$folder/data/postgresql.conf" <<END ;;
wal_level = replica
max_wal_senders = 10
hot_standby = on
max_standby_streaming_delay = 0
END
esac

if run "$programs/pg_ctl" start -D "$folder/data" -l "$folder/data/log" -w -t 60 >/dev/null 2>&1; then
    echo ready
else
    cat "$folder/data/log"
    exit 1
fi

# A line says how the server is to end before it starts again: smart, fast or immediate; or one half of that, or that a
# standby is to be one no more.
while read -r how; do
    case $how in
    kill) run "$programs/pg_ctl" stop -D "$folder/data" -m immediate -w -t 60 ;;
    start) run "$programs/pg_ctl" start -D "$folder/data" -l "$folder/data/log" -w -t 60 ;;
    promote) run "$programs/pg_ctl" promote -D "$folder/data" -w -t 60 ;;
    *) run "$programs/pg_ctl" restart -D "$folder/data" -l "$folder/data/log" -m "$how" -w -t 120 ;;
    esac >/dev/null 2>&1 && echo restarted || echo failed
done
exit 0
