#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# echo sends back what it gets: to one client, to many at once, to one that
# sends more than fits any buffer, to one that says that this was all (nc), and
# after one that went away; and when it is out of descriptors it goes on as soon
# as some are given back.
. tests/examples/lib.sh

program=$1
# The runtime and the program have some descriptors of their own.
descriptors=64

start_server env WEND_PROCS=2 "$program"
python3 tests/examples/echo_client.py "$port" 100
if nc_half_closes; then
	echo "nc: its half closed"
	head -c 5000000 /dev/urandom >"$work/sent"
	timeout 300 nc -N 127.0.0.1 "$port" <"$work/sent" >"$work/got" ||
		fail "nc: status $?"
	cmp "$work/sent" "$work/got"
else
	echo "SKIPPED: no nc here that has -N"
fi
stop_server TERM 143

start_server bash -c "ulimit -n $descriptors; exec $program"
python3 tests/examples/echo_client.py --beyond "$port" $descriptors
stop_server TERM 143

status 0 "$program" --help
status 2 "$program" 70000
