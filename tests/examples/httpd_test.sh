#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# httpd speaks HTTP/1.1 as it should (http_client.py says how), with clients
# of other people's making too, beside a load; it ends by either signal, with
# clients connected, and then has lost no count.
. tests/examples/lib.sh

program=$1

# What is no option or number.
for bad in "--port x" "--port 65536" "--load -1" "--nothing" "there"; do
	# shellcheck disable=SC2086 # several words
	status 2 "$program" $bad
done
status 0 "$program" --help
like "--help" "$(head -1 "$work/out")" "usage: httpd.*"

start_server "$program" --port 0 --load 25
url=http://127.0.0.1:$port
status 1 "$program" --port "$port"
like "a port that is taken" "$(cat "$work/err")" ".*Address already in use"

python3 tests/examples/http_client.py "$port"

if command -v curl >/dev/null; then
	echo "curl: two pages over one connection"
	equal "curl" "$(curl -sS "$url/" "$url/hello" \
		-w '%{http_code} %{num_connects}\n')" "hello from wend
200 1
hello from wend
200 0"
	echo "curl: HEAD, 404, a chunked POST, Expect"
	equal "curl -I" "$(curl -sSI "$url/" | head -1 | tr -d '\r')" \
		"HTTP/1.1 200 OK"
	equal "404" "$(curl -sS -o "$work/404" -w '%{http_code}' \
		"$url/nothing")" 404
	head -c 300000 /dev/urandom >"$work/sent"
	curl -sS -H 'Transfer-Encoding: chunked' --data-binary "@$work/sent" \
		"$url/echo" >"$work/got"
	cmp "$work/sent" "$work/got"
	curl -sS -H 'Expect: 100-continue' --data-binary "@$work/sent" \
		"$url/echo" >"$work/got"
	cmp "$work/sent" "$work/got"
else
	echo "SKIPPED: no curl here"
fi

if command -v wrk >/dev/null; then
	echo "wrk: 50 connections"
	wrk -t 1 -c 50 -d 1s --timeout 30s "$url/" >"$work/wrk"
	grep -q '[1-9][0-9]* requests in' "$work/wrk" ||
		fail "wrk: $(cat "$work/wrk")"
	! grep -E 'Socket errors|Non-2xx' "$work/wrk" || fail "wrk has errors"

	echo "new clients are served while 200 others keep the server busy"
	python3 tests/examples/http_client.py --fair "$port" 200
else
	echo "SKIPPED: no wrk here"
fi

echo "SIGTERM"
stop_server TERM 0
like "the load's count" "$(grep '^25 other tasks' "$server_log")" \
	"25 other tasks: [1-9][0-9]* messages passed, .*"

echo "SIGTERM and SIGINT while clients are connected"
for signal in TERM INT; do
	start_server env WEND_PROCS=1 "$program" --port 0
	: >"$work/client"
	python3 tests/examples/http_client.py --hold "$port" \
		>"$work/client" &
	client=$!
	for ((i = 0; i < 1200; i++)); do
		! grep -q connected "$work/client" || break
		sleep 0.05
	done
	stop_server $signal 0
	wait $client || fail "the clients were not hung up on"
	equal "the count" "$(head -2 "$server_log" | tail -1)" \
		"21 requests from 21 clients"
done

echo "more clients than descriptors"
start_server bash -c "ulimit -n 64; exec $program --port 0"
python3 tests/examples/http_client.py --beyond "$port" 64
stop_server TERM 0
