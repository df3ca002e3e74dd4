#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# kv's append-only file keeps what it promises (kv_log.py says what), one MODE
# a test. "disk" needs a small file system, which not every machine lets one
# mount; "full" does the same with a limit on the file's size.
. tests/examples/lib.sh

mode=$1
program=$2
export PYTHONPATH=tests/examples PYTHONDONTWRITEBYTECODE=1

if [ "$mode" = disk ]; then
	mkdir "$work/small"
	mount="mount -t tmpfs -o size=400k none $work/small"
	# shellcheck disable=SC2086 # several words
	if ! unshare -rm $mount 2>/dev/null; then
		echo "SKIPPED: nothing may be mounted here"
		exit 0
	fi
	unshare -rm bash -c "$mount && exec \
		python3 tests/examples/kv_log.py disk $program $work/small"
else
	python3 tests/examples/kv_log.py "$mode" "$program" "$work"
fi
