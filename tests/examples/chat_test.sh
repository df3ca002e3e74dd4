#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# chat: what is said is heard where it should be (chat_client.py says how);
# who does not read is let go and keeps nobody; both signals end it, and all
# are told.
. tests/examples/lib.sh

program=$1

client()
{
	timeout 300 python3 tests/examples/chat_client.py "$@" ||
		fail "chat_client.py $*: see above; $(cat "$server_log")"
}

# A line of the log.
logged()
{
	for ((i = 0; i < 1200; i++)); do
		! grep -q -- "$1" "$server_log" || return 0
		sleep 0.05
	done
	fail "not in the log: $1; $(cat "$server_log")"
}

# What is no option or value.
for bad in "--port x" "--port 65536" "--queue 0" "--rate 0" "--clients 0" \
	"--nothing" "there"; do
	# shellcheck disable=SC2086 # several words
	status 2 "$program" $bad
done
status 0 "$program" --help
like "--help" "$(head -1 "$work/out")" "usage: chat.*"

start_server "$program" --port 0 --rate 1000
status 1 "$program" --port "$port"
like "a port that is taken" "$(cat "$work/err")" ".*Address already in use"
echo "rooms, names, messages"
client talk "$port"
for end in quit end; do
	logged "msg=gone .* end=$end"
done
stop_server TERM 0

start_server "$program" --port 0 --rate 1000 --queue 1000
echo "the longest lines"
client long "$port"
echo "many"
client many "$port"
if command -v nc >/dev/null; then
	echo "nc"
	{
		echo "/nick nick"
		echo "/join tea"
		echo "/quit"
	} | timeout 60 nc 127.0.0.1 "$port" >"$work/out"
	equal "nc" "$(tail -1 "$work/out")" "* bye"
	grep -q "is now nick" "$work/out" || fail "nc: $(cat "$work/out")"
else
	echo "SKIPPED: no nc here"
fi
stop_server INT 0

echo "one that does not read"
start_server "$program" --port 0 --rate 1000000
client slow "$port"
logged 'msg=gone .* nick=mute end="too slow"'
stop_server TERM 0

echo "one that says too much; and one too many"
start_server "$program" --port 0 --rate 20 --queue 50 --clients 4
client flood "$port"
client full "$port" 4
stop_server TERM 0

echo "SIGTERM and SIGINT while clients are connected"
for signal in TERM INT; do
	start_server "$program" --port 0
	: >"$work/client"
	python3 tests/examples/chat_client.py hold "$port" >"$work/client" &
	client=$!
	for ((i = 0; i < 1200; i++)); do
		! grep -q waiting "$work/client" || break
		sleep 0.05
	done
	stop_server $signal 0
	wait $client || fail "the clients were not told"
done
