#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# httpd speaks https to curl, which believes it for its own name and by its own
# certificate only; files come whole; it ends with clients connected.
. tests/examples/lib.sh

program=$1

for tool in openssl curl; do
	command -v $tool >/dev/null || {
		echo "SKIPPED: no $tool here"
		exit 0
	}
done

# certificate NAME DAYS: $work/NAME.pem and .key, signed by itself
certificate()
{
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
		-subj /CN=test -addext subjectAltName=IP:127.0.0.1 \
		-days "$2" -keyout "$work/$1.key" -out "$work/$1.pem" \
		>"$work/openssl" 2>&1 || fail "openssl: $(cat "$work/openssl")"
}

# code WANT CURL-OPTION...: curl's exit status
code()
{
	local want=$1 got=0

	shift
	curl -sS -o "$work/got" "$@" 2>"$work/err" || got=$?
	[[ " $want " == *" $got "* ]] ||
		fail "curl $*: exit status $got; wanted $want; $(cat "$work/err")"
}

certificate good 30
certificate other 30

status 2 "$program" --port 0 --cert "$work/good.pem"
status 2 "$program" --port 0 --key "$work/good.key"
status 1 "$program" --port 0 --cert "$work/none" --key "$work/good.key"
like "no such file" "$(cat "$work/err")" ".*No such file or directory"
status 1 "$program" --port 0 --cert "$work/good.pem" --key "$work/other.key"
like "another's key" "$(cat "$work/err")" ".*no certificate and its key"

mkdir "$work/root"
head -c 3000000 /dev/urandom >"$work/root/large.bin"
start_server "$program" --port 0 --load 25 --root "$work/root" \
	--cert "$work/good.pem" --key "$work/good.key"
url=https://127.0.0.1:$port
like "where it listens" "$(head -1 "$server_log")" "listening on $url"

echo "curl: two pages over one connection"
equal "curl" "$(curl -sS --cacert "$work/good.pem" "$url/" "$url/hello" \
	-w '%{http_code} %{num_connects}\n')" "hello from wend
200 1
hello from wend
200 0"

echo "curl: a file, a range of it, and a body back"
code 0 --cacert "$work/good.pem" "$url/files/large.bin"
cmp "$work/root/large.bin" "$work/got"
code 0 --cacert "$work/good.pem" -r 1000000-2000000 "$url/files/large.bin"
cmp -i 1000000:0 -n 1000001 "$work/root/large.bin" "$work/got"
head -c 300000 "$work/root/large.bin" >"$work/sent"
code 0 --cacert "$work/good.pem" --data-binary "@$work/sent" "$url/echo"
cmp "$work/sent" "$work/got"

echo "curl: who does not know the certificate, or wants another name"
code 60 "$url/"
code 60 --cacert "$work/other.pem" "$url/"
code "51 60" --cacert "$work/good.pem" \
	--resolve "other.example:$port:127.0.0.1" "https://other.example:$port/"
echo "curl: no TLS"
code "1 52 56" "http://127.0.0.1:$port/"

echo "SIGTERM while a client is connected"
mkfifo "$work/hold"
timeout 120 openssl s_client -quiet -CAfile "$work/good.pem" \
	-connect "127.0.0.1:$port" <"$work/hold" >"$work/client" 2>&1 &
client=$!
exec 9>"$work/hold"
printf 'GET /hello HTTP/1.1\r\nHost: x\r\n\r\n' >&9
for ((i = 0; i < 1200; i++)); do
	! grep -q "hello from wend" "$work/client" || break
	sleep 0.05
done
grep -q "hello from wend" "$work/client" || fail "s_client: no answer"
stop_server TERM 0
exec 9>&-
wait $client || fail "openssl: was not told of the end: $(cat "$work/client")"
