#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# wend_test.sh PROGRAM - the command says how it is used, refuses in one line
# what it does not understand, and `info` tells the truth (wend_info.py), in
# two columns and as JSON.
. tests/examples/lib.sh

program=$1

echo "help"
for help in help --help; do
	status 0 "$program" $help
	like "$help" "$(head -1 "$work/out")" "usage: wend info .*"
	equal "$help, stderr" "$(cat "$work/err")" ""
done

echo "bad usage: one line on stderr, status 2"
for bad in "" "bogus" "info --bogus" "info --json x" "info help" "--info"; do
	# shellcheck disable=SC2086 # several words, or none
	status 2 "$program" $bad
	equal "$bad, stdout" "$(cat "$work/out")" ""
	equal "$bad, lines" "$(wc -l <"$work/err")" 1
	like "$bad" "$(cat "$work/err")" "wend: .*; try 'wend help'"
done

echo "two columns: each section has a headline, and all values line up"
status 0 env WEND_PROCS=2 "$program" info
cat "$work/out"
equal "what is no headline and no line of two columns" "$(awk '
	/^$/ || /^[a-z]/ { next }
	/^  [^ ].*[^ ]  +[^ ]/ && !width {
		match($0, /^  [^ ]+( [^ ]+)*  +/)
		width = RLENGTH
	}
	substr($0, width - 1, 2) != "  " || substr($0, width + 1, 1) == " "
' "$work/out")" ""
like "the version" "$(grep '^  wend ' "$work/out")" \
	"  wend +$(cat runtime/VERSION)"
like "the variable" "$(grep WEND_PROCS= "$work/out"; tail -1 "$work/out")" \
	"  WEND_PROCS +2 \(ok\)"
equal "stderr" "$(cat "$work/err")" ""

echo "what it says, against the system"
python3 tests/tools/wend_info.py "$program"

echo "a full disk"
got=0
"$program" info >/dev/full 2>"$work/err" || got=$?
equal "status" $got 1
equal "stderr" "$(cat "$work/err")" "wend: cannot write to stdout"
