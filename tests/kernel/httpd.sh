#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# httpd under curl, in the guest: plain requests, many at once, beside tasks
# that compute.
#
#   httpd.sh HTTPD CURL
httpd=$1 curl=$2
url=http://127.0.0.1:8080
failed=0

check()
{
	name=$1
	shift
	if "$@"; then
		echo "[       OK ] Httpd.$name (0 ms)"
	else
		echo "[  FAILED  ] Httpd.$name (0 ms)"
		failed=1
	fi
}

says()
{
	"$curl" -sS --max-time 20 "$url$1" | grep -q "$2"
}

posts()
{
	[ "$("$curl" -sS --max-time 20 -d "$1" "$url/echo")" = "$1" ]
}

# 20 clients, 20 requests each, over one connection each
many()
{
	rm -f /tmp/many
	i=0
	while [ $i -lt 20 ]; do
		"$curl" -sS --max-time 60 -o /dev/null -w '%{http_code}\n' \
			"$url/hello?[1-20]" >>/tmp/many &
		i=$((i + 1))
	done
	for pid in $(jobs -p); do
		[ "$pid" = "$server" ] || wait "$pid"
	done
	[ "$(grep -c '^200$' /tmp/many)" -eq 400 ]
}

for load in 0 4; do
	"$httpd" --load $load >/tmp/httpd.out 2>&1 &
	server=$!
	i=0
	until says /hello . 2>/dev/null || [ $i -eq 30 ]; do
		sleep 1
		i=$((i + 1))
	done
	check "Hello$load" says /hello .
	check "Stats$load" says /stats '{'
	check "Echo$load" posts "all that is sent"
	check "Many$load" many
	kill "$server"
	wait "$server"
	check "Ends$load" [ $? -eq 0 ]
done
exit $failed
