# SPDX-License-Identifier: Apache-2.0
#
# lib.sh - what the tests of the examples share; source it.
#
# A test says what it does; the first thing that is wrong ends it. Whatever it
# started is ended with it.
# shellcheck shell=bash
set -euo pipefail

work=$(mktemp -d "${TEST_TMPDIR:-${TMPDIR:-/tmp}}/examples.XXXXXX")
server_pid=
short= # a test's second directory: a socket file's path must be short
trap end_test EXIT

end_test()
{
	local status=$?

	[ -z "$server_pid" ] || kill -KILL "$server_pid" 2>/dev/null || true
	rm -rf "$work" ${short:+"$short"}
	[ $status -eq 0 ] || echo "FAILED" >&2
	exit $status
}

fail()
{
	echo "$*" >&2
	exit 1
}

# equal WHAT GOT WANT
equal()
{
	[ "$2" = "$3" ] || fail "$1: got: $2; wanted: $3"
}

# like WHAT GOT REGEX: the whole of it
like()
{
	[[ $2 =~ ^$3$ ]] || fail "$1: got: $2; wanted something like: $3"
}

# status WANT COMMAND...: its output goes to $work/out and $work/err.
status()
{
	local want=$1 got=0

	shift
	"$@" >"$work/out" 2>"$work/err" </dev/null || got=$?
	[ "$got" = "$want" ] || {
		cat "$work/out" "$work/err" >&2
		fail "$*: exit status $got; wanted $want"
	}
}

# Whether nc is there that can end its half of a connection (netcat-openbsd).
nc_half_closes()
{
	local help

	help=$(nc -h 2>&1) || true
	[[ $help == *-N*[Ss]hutdown* ]]
}

# Whether a program was built with ThreadSanitizer: a tenth as fast.
is_tsan()
{
	grep -q __tsan_init "$1"
}

# start_server PROGRAM ARGS...: sets $server_pid, $server_log and $port once
# it has printed where it listens.
start_server()
{
	server_log=$work/server.log
	: >"$server_log" # not what the last one said
	"$@" >"$server_log" 2>&1 </dev/null &
	server_pid=$!
	for ((i = 0; i < 1200; i++)); do
		port=$(sed -n 's/^listening on .*:\([0-9]*\)$/\1/p' \
			"$server_log")
		[ -z "$port" ] || return 0
		kill -0 "$server_pid" 2>/dev/null || break
		sleep 0.05
	done
	cat "$server_log" >&2
	fail "$*: does not listen"
}

# stop_server SIGNAL STATUS: it must end by itself, with that status.
stop_server()
{
	local got=0

	kill -"$1" "$server_pid"
	for ((i = 0; i < 1200; i++)); do
		kill -0 "$server_pid" 2>/dev/null || break
		sleep 0.05
	done
	kill -0 "$server_pid" 2>/dev/null &&
		fail "the server does not end by SIG$1"
	wait "$server_pid" || got=$?
	server_pid=
	[ "$got" = "$2" ] || {
		cat "$server_log" >&2
		fail "the server's exit status is $got; wanted $2"
	}
}
