#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# crawler asks for each page of crawler_site.py once and for nothing else,
# for as many at once as it may, and ends by a signal with what it has.
. tests/examples/lib.sh

program=$1

site_log()
{
	python3 -c 'import sys, urllib.request as u
print(u.urlopen(sys.argv[1] + "/_log").read().decode(), end="")' "$url"
}

# crawled OPTIONS...: the pages that it asked for, in one line.
crawled()
{
	status 0 "$program" "$@"
	equal "stderr" "$(cat "$work/err")" ""
	site_log | paste -sd ' '
}

for bad in "" "--jobs 0 http://a/" "--max x http://a/" "--what http://a/" \
	"http://a/ http://b/" "https://a/" "a/b" "http://"; do
	# shellcheck disable=SC2086 # several words
	status 2 "$program" $bad
done
status 0 "$program" --help
like "--help" "$(head -1 "$work/out")" "usage: crawler.*"

start_server python3 tests/examples/crawler_site.py
url=http://127.0.0.1:$port

echo "the whole site"
whole="/ /a%20b.html /cut /data.bin /dir/ /dir/?x /dir/deep/ \
/dir/deep/deeper/ /end.html /missing /moved /plain.html /q?a=1&b=2 \
/text /top.html /unquoted.html /up.html"
for procs in 1 4; do
	for jobs in 1 5; do
		equal "pages" "$(WEND_PROCS=$procs crawled --jobs $jobs \
			"$url")" "$whole"
		like "summary" "$(tail -1 "$work/out")" \
			"15 pages, [0-9]+ bytes, 2 errors in [0-9.ms]+"
	done
done
sed '$d' "$work/out" >"$work/lines"
equal "lines" "$(wc -l <"$work/lines")" 17
for line in "200 170000 $url/data.bin" "404 0 $url/missing" \
	"302 0 $url/moved" "Connection reset by peer $url/cut"; do
	grep -qxF "$line" "$work/lines" || fail "no line: $line"
done
sum=$(awk '$1 ~ /^[0-9]+$/ { n += $2 } END { print n }' "$work/lines")
like "bytes" "$(tail -1 "$work/out")" "15 pages, $sum bytes, .*"

echo "--depth and --max"
equal "depth 0" "$(crawled --depth 0 "$url/dir/")" "/dir/"
equal "depth 1" "$(crawled --depth 1 "$url/dir/deep/deeper/../")" \
	"/dir/deep/ /dir/deep/deeper/"
equal "depth 2" "$(crawled --depth 2 "$url/dir/deep/#x")" \
	"/dir/deep/ /dir/deep/deeper/ /end.html"
equal "max" "$(crawled --max 4 "$url/" | wc -w)" 4
equal "max 1" "$(crawled --max 1 "$url/")" "/"

echo "--jobs at once"
crawled --jobs 4 "$url/gates" >/dev/null
like "gates" "$(tail -1 "$work/out")" "13 pages, [0-9]+ bytes, 0 errors .*"

echo "no page at all"
status 1 "$program" "$url/missing"
equal "missing" "$(head -1 "$work/out")" "404 0 $url/missing"
status 1 "$program" http://127.0.0.1:1/
equal "nobody" "$(head -1 "$work/out")" \
	"Connection refused http://127.0.0.1:1/"

echo "on a terminal"
TERM=dumb python3 -c 'import pty, sys; sys.exit(pty.spawn(sys.argv[1:]))' \
	"$program" "$url" </dev/null >"$work/bar" || fail "status"
tr '\r' '\n' <"$work/bar" | grep -q \
	'^\[####################\] 17 of 17 pages, 16[0-9] KiB, 2 errors' ||
	fail "no bar: $(cat "$work/bar")"
! grep -q "$url" "$work/bar" || fail "lines"

for signal in INT TERM; do
	echo "SIG$signal while two pages do not come"
	site_log >/dev/null
	"$program" "$url/endless/0" >"$work/out" 2>"$work/err" &
	client=$!
	: >"$work/asked"
	for ((i = 0; i < 1200; i++)); do
		site_log >>"$work/asked"
		[ "$(grep -c slow "$work/asked")" != 2 ] || break
		sleep 0.05
	done
	kill -$signal $client
	wait $client || fail "exit status $?"
	like "summary" "$(tail -1 "$work/out")" \
		"1 pages, 36 bytes, 0 errors in .*, interrupted"
	equal "lines" "$(wc -l <"$work/out")" 2
	equal "stderr" "$(cat "$work/err")" ""
done
