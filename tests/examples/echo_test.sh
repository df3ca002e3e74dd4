#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# echo sends back what it gets: to one client, to many at once, to one that
# sends more than fits any buffer, and after one that went away; and when it
# is out of descriptors it goes on as soon as some are given back.
. tests/examples/lib.sh

program=$1
# The runtime and the program have some descriptors of their own.
descriptors=64

start_server env WEND_PROCS=2 "$program"
python3 tests/examples/echo_client.py "$port" 100
stop_server TERM 143

start_server bash -c "ulimit -n $descriptors; exec $program"
python3 tests/examples/echo_client.py --beyond "$port" $descriptors
stop_server TERM 143

status 0 "$program" --help
status 2 "$program" 70000
