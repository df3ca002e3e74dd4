#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# pgpool against a PostgreSQL server of the test's own, which sees to it itself
# that there are no more connections than said. Without a server only what
# needs none is tested, and the test says so.
. tests/examples/lib.sh

program=$1
limit=5 # connections that the server allows

for bad in "--tasks 0" "--conns x" "--queries -1" "--what" there; do
	# shellcheck disable=SC2086 # several words
	status 2 "$program" $bad
done
status 0 "$program" --help
like "--help" "$(head -1 "$work/out")" "usage: pgpool.*"

short=$(mktemp -d /tmp/wend.XXXXXX)
dsn="host=$short user=wend dbname=postgres sslmode=disable \
gssencmode=disable connect_timeout=100"

echo "nobody there"
status 1 "$program" --dsn "$dsn" --tasks 20
like "its error" "$(head -1 "$work/err")" "pgpool: .*No such file or directory"
equal "errors" "$(grep -c '^pgpool' "$work/err")" 1
like "its answers" "$(head -1 "$work/out")" "0 answers to 20 tasks over 0 .*"

bin=$(find /usr/lib/postgresql/*/bin -name postgres 2>/dev/null |
	sort -V | tail -1)
bin=${bin:-$(command -v postgres || true)}
[ -n "$bin" ] || {
	echo "SKIPPED: no PostgreSQL server is installed"
	exit 0
}
bin=$(dirname "$bin")

# PostgreSQL refuses to be root: it need only look like somebody else.
as=()
if [ "$(id -u)" = 0 ]; then
	if unshare --user --map-user=1000 --map-group=1000 true; then
		as=(unshare --user --map-user=1000 --map-group=1000)
	elif setpriv --reuid=65534 --regid=65534 --clear-groups true; then
		as=(setpriv --reuid=65534 --regid=65534 --clear-groups)
		chown 65534:65534 "$short"
	else
		echo "SKIPPED: root cannot be another user here"
		exit 0
	fi
fi

(cd "$short" && "${as[@]}" "$bin/initdb" --pgdata="$short/data" \
	--username=wend --auth=trust --no-sync --encoding=UTF8 --locale=C) \
	>"$work/initdb" 2>&1 || fail "initdb: $(cat "$work/initdb")"

start_postgres()
{
	(cd "$short" && exec "${as[@]}" "$bin/postgres" -D "$short/data" \
		-k "$short" -c listen_addresses= -c fsync=off \
		-c shared_buffers=16MB -c autovacuum=off \
		-c superuser_reserved_connections=0 -c max_wal_senders=0 \
		-c max_connections=$limit) >"$work/postgres" 2>&1 </dev/null &
	server_pid=$!
	server_log=$work/postgres
	for ((i = 0; i < 1200; i++)); do
		! "$bin/pg_isready" -q -h "$short" -U wend || return 0
		kill -0 $server_pid 2>/dev/null || break
		sleep 0.05
	done
	fail "the server does not start: $(cat "$work/postgres")"
}

echo "300 tasks"
start_postgres
for procs in 1 4; do
	for conns in 1 $limit; do
		status 0 env WEND_PROCS=$procs "$program" --dsn "$dsn" \
			--tasks 300 --conns "$conns" --queries 4
		equal "errors" "$(cat "$work/err")" ""
		like "answers" "$(head -1 "$work/out")" "1200 answers to 300 \
tasks over $conns connections in [0-9.ms]+: [0-9]+ a second"
	done
done
time='[0-9.]+(s|ms|us|ns)'
like "the table" "$(sed -n 4p "$work/out")" \
	"query +$time +$time +$time +$time"

echo "one connection more than the server allows"
status 1 "$program" --dsn "$dsn" --tasks 50 --conns $((limit + 1)) \
	--queries 1000
like "its error" "$(paste -sd ' ' "$work/err")" \
	"pgpool: .*too many clients.*"

# start_pgpool NAME: in the background; waits until it has connections.
start_pgpool()
{
	PGAPPNAME=$1 "$program" --dsn "$dsn" --conns 3 --queries 1000000 >"$work/out" \
		2>"$work/err" &
	client=$!
	for ((i = 0; i < 1200; i++)); do
		[ "$("$bin/psql" -h "$short" -U wend -Atc "select count(*) \
from pg_stat_activity where application_name = '$1'" postgres)" != 3 ] ||
			return 0
		sleep 0.05
	done
	fail "pgpool does not get going: $(cat "$work/err")"
}

for signal in INT TERM; do
	echo "SIG$signal"
	start_pgpool "$signal"
	kill -$signal $client
	wait $client || fail "exit status $?"
	equal "errors" "$(cat "$work/err")" ""
	like "summary" "$(head -1 "$work/out")" "[1-9][0-9]* answers to 200 \
tasks over 3 connections in .*, interrupted"
done

echo "the server goes away"
start_pgpool away
stop_server INT 0
! wait $client || fail "that is an error"
# libpq passes on what the server says, each connection's.
equal "errors" "$(grep -c '^pgpool' "$work/err")" 1
