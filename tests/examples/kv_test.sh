#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# kv is to Redis' clients what Redis is, as far as it goes: to redis-cli, to
# redis-benchmark, and to clients that do what these do not (kv_client.py).
. tests/examples/lib.sh

program=$1

client()
{
	PYTHONPATH=tests/examples PYTHONDONTWRITEBYTECODE=1 \
		python3 tests/examples/kv_client.py "$@"
}

# What is no option or value.
for bad in "--port x" "--port 65536" "--port -1" "--fsync never" "--aof" \
	"--maxclients 0" "--max-request 1" "--procs 0" "--nothing" "there"; do
	# shellcheck disable=SC2086 # several words
	status 2 "$program" $bad
done
status 0 "$program" --help
like "--help" "$(head -1 "$work/out")" "usage: kv.*"

short=$(mktemp -d)
start_server "$program" --port 0 --unix "$short/socket" --procs 2
status 1 "$program" --port "$port"
like "a port that is taken" "$(cat "$work/err")" ".*Address already in use"
status 1 "$program" --port -1 --unix "$short/socket"
like "a socket that is taken" "$(cat "$work/err")" ".*Address already in use"

echo "the protocol"
client all "$port"

if command -v redis-cli >/dev/null; then
	cli()
	{
		timeout 120 redis-cli -p "$port" "$@"
	}
	echo "redis-cli: each family of commands"
	equal "PING" "$(cli PING)" "PONG"
	equal "FLUSHALL" "$(cli FLUSHALL)" "OK"
	equal "SET" "$(cli SET k v EX 100)" "OK"
	equal "GET" "$(cli GET k)" "v"
	like "TTL" "$(cli TTL k)" "(99|100)"
	equal "INCR" "$(cli INCRBY n 41; cli INCR n)" $'41\n42'
	equal "LPUSH" "$(cli RPUSH l a b c; cli LRANGE l 0 -1)" $'3\na\nb\nc'
	equal "HSET" "$(cli HSET h f 1 g 2; cli HGETALL h)" $'2\nf\n1\ng\n2'
	equal "WRONGTYPE" "$(cli LPUSH k x 2>&1)" "WRONGTYPE Operation against \
a key holding the wrong kind of value"
	equal "nothing" "$(cli --no-raw GET none)" "(nil)"
	equal "--scan" "$(cli --scan | sort | paste -sd ' ')" "h k l n"
	equal "CONFIG" "$(cli CONFIG GET 'append*' | paste -sd ' ')" \
		"appendonly no appendfsync everysec"
	like "INFO" "$(cli INFO server | tr -d '\r' | paste -sd ' ')" \
		".*tcp_port:$port .*"
	equal "by the socket file" \
		"$(timeout 120 redis-cli -s "$short/socket" GET k)" "v"
	equal "a transaction" "$(printf '%s\n' MULTI 'SET t 1' 'INCR t' EXEC |
		cli | paste -sd ' ')" "OK QUEUED QUEUED OK 2"

	echo "redis-cli --pipe: 100,000 commands in one stream"
	for ((i = 0; i < 100000; i++)); do
		echo "SET pipe:$((i % 1000)) $i"
	done >"$work/commands"
	cli --pipe <"$work/commands" >"$work/out"
	like "--pipe" "$(tail -1 "$work/out")" "errors: 0, replies: 100000"

	echo "redis-cli: SUBSCRIBE"
	redis-cli -p "$port" SUBSCRIBE news >"$work/news" </dev/null &
	listener=$!
	for ((i = 0; i < 1200; i++)); do
		[ "$(cli PUBLISH news hello)" = 0 ] || break
		sleep 0.05
	done
	for ((i = 0; i < 1200; i++)); do
		! grep -q hello "$work/news" || break
		sleep 0.05
	done
	equal "what it got" "$(head -6 "$work/news" | paste -sd ' ')" \
		"subscribe news 1 message news hello"
	kill $listener
	wait $listener || true
else
	echo "SKIPPED: no redis-cli here"
fi

if nc_half_closes; then
	echo "nc: requests by the line, and its half closed"
	equal "nc" "$(printf '%s\r\n' PING "SET nc 1" "INCR nc" |
		timeout 120 nc -N 127.0.0.1 "$port" | tr -d '\r' |
		paste -sd ' ')" "+PONG +OK :2"
else
	echo "SKIPPED: no nc here that has -N"
fi

if command -v redis-benchmark >/dev/null; then
	echo "redis-benchmark: all that there is, with and without pipelining"
	for pipeline in 1 16; do
		timeout 300 redis-benchmark -p "$port" -c 50 -P $pipeline \
			-n 5000 --csv \
			-t ping,set,get,incr,lpush,rpush,lpop,rpop,sadd,hset,lrange_100,mset \
			>"$work/out" 2>"$work/err" </dev/null ||
			fail "redis-benchmark: $(cat "$work/out" "$work/err")"
		! grep -iE 'err|warn' "$work/out" "$work/err" ||
			fail "redis-benchmark has errors"
		# PING twice, LRANGE with its own LPUSH, and a line of titles.
		[ "$(wc -l <"$work/out")" -ge 14 ] ||
			fail "redis-benchmark: $(cat "$work/out")"
	done
else
	echo "SKIPPED: no redis-benchmark here"
fi
stop_server TERM 0
[ ! -e "$short/socket" ] || fail "the socket file is left"

echo "limits"
start_server "$program" --port 0 --max-request 100000 --output-limit 1000000
client oversized "$port"
client slow "$port"
like "the server's word on it" "$(grep slowly "$server_log")" \
	".*a client reads too slowly.*"
stop_server INT 0
start_server "$program" --port 0 --maxclients 10
client too-many "$port" 10
stop_server TERM 0
start_server bash -c "ulimit -n 64; exec $program --port 0"
client beyond "$port" 64
stop_server TERM 0
