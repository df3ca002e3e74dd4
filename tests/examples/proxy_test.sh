#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# proxy passes connections and HTTP on, whole and both ways, and gives up in
# time what is silent or cannot be reached; proxy_client.py says how. curl goes
# through it, too.
. tests/examples/lib.sh

program=$1
origin_pid=

# The server behind the proxy: sets $origin.
start_origin()
{
	python3 tests/examples/proxy_client.py origin >"$work/origin" &
	origin_pid=$!
	for ((i = 0; i < 1200; i++)); do
		[ ! -s "$work/origin" ] || break
		sleep 0.05
	done
	origin=$(cat "$work/origin")
}

client()
{
	timeout 300 python3 tests/examples/proxy_client.py "$@" ||
		fail "proxy_client.py $*: see above; $(cat "$server_log")"
}

# A line of the access log.
logged()
{
	for ((i = 0; i < 1200; i++)); do
		! grep -q -- "$1" "$server_log" || return 0
		sleep 0.05
	done
	fail "no access line like: $1; $(cat "$server_log")"
}

# With the status that the test ends with, which end_test() looks at.
end_origin()
{
	set +e
	[ -z "$origin_pid" ] || kill "$origin_pid" 2>/dev/null
	(exit "$1")
	end_test
}
trap 'end_origin $?' EXIT

# What is no option or value.
for bad in "" "--http --to a:1" "--to nowhere" "--to :80" "--http there" "--http --nothing" \
	"--http --allow 0" "--http --allow 443,x" "--http --idle 5" \
	"--http --connect -1s" "--http --conns 0" \
	"--http --allow 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17"; do
	# shellcheck disable=SC2086 # several words
	status 2 "$program" $bad
done
status 0 "$program" --help
like "--help" "$(head -1 "$work/out")" "usage: proxy.*"
start_origin

echo "the forwarder"
start_server "$program" --listen 127.0.0.1:0 --to "127.0.0.1:$origin"
status 1 "$program" --listen "127.0.0.1:$port" --http
like "a port that is taken" "$(cat "$work/err")" ".*Address already in use"
client forward "$port"
logged "msg=forward client=127.0.0.1:[0-9]* to=127.0.0.1:$origin sent=11 \
received=11 .* end=Success"
stop_server TERM 0

echo "the forwarder: silence, and nobody there"
start_server "$program" --listen 127.0.0.1:0 --to "127.0.0.1:$origin" \
	--idle 3s
client silence "$port"
logged 'msg=forward .*end="Connection timed out"'
stop_server INT 0
start_server "$program" --listen 127.0.0.1:0 --to 127.0.0.1:1
client nobody "$port"
logged 'msg=forward .*end="Connection refused"'
stop_server TERM 0

echo "the forwarder: no more than --conns"
start_server "$program" --listen 127.0.0.1:0 --to "127.0.0.1:$origin" \
	--conns 2
client conns "$port"
stop_server TERM 0

echo "HTTP"
start_server "$program" --listen 127.0.0.1:0 --http --allow "443,$origin"
client http "$port" "$origin"
logged "msg=request .*method=GET url=.*/length status=200 received=100000 "
logged "msg=connect .*to=127.0.0.1:$origin sent=11 received=11 .*end=Success"
logged "msg=connect .*to=127.0.0.1:1 sent=0 .*end=\"Permission denied\""
if command -v curl >/dev/null; then
	echo "curl: by request and by tunnel"
	url=http://127.0.0.1:$origin
	via()
	{
		curl -sS --noproxy '' -x "http://127.0.0.1:$port" "$@"
	}
	equal "request" "$(via "$url/hello" -w ' %{http_code}')" "hello 200"
	equal "tunnel" "$(via -p "$url/hello" \
		-w ' %{http_code} %{http_connect}')" "hello 200 200"
	head -c 3000000 /dev/urandom >"$work/sent"
	for way in "" -p; do
		# shellcheck disable=SC2086 # none or one
		via $way --data-binary "@$work/sent" "$url/echo" >"$work/got"
		cmp "$work/sent" "$work/got"
		# shellcheck disable=SC2086
		via $way -H 'Transfer-Encoding: chunked' -T "$work/sent" \
			"$url/echo" >"$work/got"
		cmp "$work/sent" "$work/got"
	done
else
	echo "SKIPPED: no curl here"
fi
stop_server INT 0

echo "HTTP: silence"
start_server "$program" --listen 127.0.0.1:0 --http --allow "$origin" \
	--idle 300ms
client http-silence "$port" "$origin"
stop_server TERM 0

echo "at the end: --grace for what is under way, then no more"
for mode in --http "--to 127.0.0.1:$origin"; do
	# shellcheck disable=SC2086 # several words
	start_server "$program" --listen 127.0.0.1:0 --allow "$origin" $mode \
		--grace 300ms
	: >"$work/client"
	python3 tests/examples/proxy_client.py hold "$port" "$origin" \
		"$mode" >"$work/client" &
	client=$!
	for ((i = 0; i < 1200; i++)); do
		! grep -q waiting "$work/client" || break
		sleep 0.05
	done
	stop_server TERM 0
	wait $client || fail "the clients were not hung up on"
	grep -q "some were cut off" "$server_log" || fail "nothing is said"
done
