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
status 1 "$program" --port 0 --root "$work/nothing"
like "no such root" "$(cat "$work/err")" ".*No such file or directory"
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

if nc_half_closes; then
	echo "nc: three requests, and its half closed: three answers"
	head -c 500000 /dev/urandom >"$work/sent"
	{
		printf 'GET / HTTP/1.1\r\nHost: x\r\n\r\n'
		printf 'GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n'
		printf 'POST /echo HTTP/1.1\r\nHost: x\r\n'
		printf 'Content-Length: 500000\r\n\r\n'
		cat "$work/sent"
	} | timeout 300 nc -N 127.0.0.1 "$port" >"$work/got" ||
		fail "nc: status $?"
	equal "nc" "$(grep -ao '^HTTP/1.1 .*' "$work/got" | tr -d '\r' |
		paste -sd ' ')" "HTTP/1.1 200 OK HTTP/1.1 404 Not Found \
HTTP/1.1 200 OK"
	tail -c 500000 "$work/got" | cmp - "$work/sent"
	echo "nc: half a request, and its half closed: a bad one"
	printf 'GET / HTTP/1.1\r\nHost: ' |
		timeout 300 nc -N 127.0.0.1 "$port" >"$work/got" ||
		fail "nc: status $?"
	equal "half a request" "$(head -1 "$work/got" | tr -d '\r')" \
		"HTTP/1.1 400 Bad Request"
else
	echo "SKIPPED: no nc here that has -N"
fi

mkdir -p "$work/root/sub/.git"
head -c 3000000 /dev/urandom >"$work/root/large.bin"
echo "<p>" >"$work/root/sub/index.html"
echo secret >"$work/secret"
ln -s "$work/secret" "$work/root/link"
mkfifo "$work/root/fifo"
stop_server TERM 0
start_server "$program" --port 0 --load 25 --root "$work/root" --log
url=http://127.0.0.1:$port
if command -v curl >/dev/null; then
	echo "curl: files, ranges, conditions; nothing from outside"
	curl -sS -D "$work/head" "$url/files/large.bin" >"$work/got"
	cmp "$work/root/large.bin" "$work/got"
	etag=$(sed -n 's/^ETag: \(.*\)\r$/\1/p' "$work/head")
	changed=$(sed -n 's/^Last-Modified: \(.*\)\r$/\1/p' "$work/head")
	code()
	{
		curl -sS --path-as-is -o "$work/got" -w '%{http_code}' "$@"
	}
	equal "etag" "$(code -H "If-None-Match: $etag" \
		"$url/files/large.bin")" 304
	equal "date" "$(code -H "If-Modified-Since: $changed" \
		"$url/files/large.bin")" 304
	equal "range" "$(code -r 1000000-2000000 "$url/files/large.bin")" 206
	cmp -i 1000000:0 -n 1000001 "$work/root/large.bin" "$work/got"
	equal "its size" "$(stat -c %s "$work/got")" 1000001
	equal "last" "$(code -r -7 "$url/files/large.bin")" 206
	tail -c 7 "$work/root/large.bin" | cmp - "$work/got"
	equal "beyond" "$(code -r 3000000- "$url/files/large.bin")" 416
	equal "directory" "$(code -L "$url/files/sub")" 200
	equal "index" "$(cat "$work/got")" "<p>"
	equal "POST" "$(code -d x "$url/files/sub/")" 405
	for path in ../secret %2e%2e/secret sub/../../secret link fifo none \
		sub/.git/ sub//index.html large.bin/ //etc/passwd; do
		equal "$path" "$(code "$url/files/$path")" 404
	done
	echo "curl: a file at 20 connections at once"
	clients=()
	for ((i = 0; i < 20; i++)); do
		curl -sS "$url/files/large.bin" |
			cmp - "$work/root/large.bin" &
		clients+=($!)
	done
	for client in "${clients[@]}"; do
		wait "$client" || fail "a client got something else"
	done
	grep -q '/files/large.bin 200 3000000' "$server_log" ||
		fail "the log does not say so"
else
	echo "SKIPPED: no curl here"
fi

stop_server TERM 0
start_server "$program" --port 0 --load 25
url=http://127.0.0.1:$port
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

# by_h2load REQUESTS CONNS BYTES OPTIONS...: all answered with 2xx, and as many
# bytes in all as BYTES for each; the server has counted the same.
by_h2load()
{
	local requests=$1 conns=$2 bytes=$(($1 * $3))

	shift 3
	start_server "$program" --port 0
	timeout 300 h2load --h1 -n "$requests" -c "$conns" "${@:1:$#-1}" \
		"http://127.0.0.1:$port${!#}" >"$work/h2load" 2>&1 ||
		fail "h2load: $(cat "$work/h2load")"
	equal "requests" "$(sed -n 's/^requests: //p' "$work/h2load")" \
		"$requests total, $requests started, $requests done, \
$requests succeeded, 0 failed, 0 errored, 0 timeout"
	equal "status" "$(sed -n 's/^status codes: //p' "$work/h2load")" \
		"$requests 2xx, 0 3xx, 0 4xx, 0 5xx"
	like "bytes" "$(grep '^traffic: ' "$work/h2load")" \
		".*[( ]$bytes\) data"
	stop_server TERM 0
	equal "the count" "$(tail -1 "$server_log")" \
		"$requests requests from $conns clients"
}

if command -v h2load >/dev/null; then
	echo "h2load: 300 connections, by one request each and by four"
	by_h2load 6000 300 16 /
	by_h2load 6000 300 16 -m 4 /
	echo "h2load: 100 connections that send and get 100,000 bytes"
	head -c 100000 /dev/urandom >"$work/sent"
	by_h2load 300 100 100000 -d "$work/sent" /echo
else
	echo "SKIPPED: no h2load here"
fi

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
