#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# A test of the tests: bugs that are planted in the runtime (WEND_SIM_PLANT)
# must be found under the sim port, the failing seed be printed, and that seed
# alone fail again in the same way; without the bug it passes.
#
# Usage: planted_test.sh BUG TEST_PROGRAM FILTER
set -eu

bug=$1
program=$2
filter=$3
dir=${TEST_TMPDIR:-/tmp}/planted.$$
mkdir -p "$dir"
trap 'rm -rf "$dir"' EXIT
export WEND_PORT=sim
# A run that the bug makes endless is found, too, and soon.
export WEND_TEST_LIMIT=${WEND_TEST_LIMIT:-15}

fail() {
	echo "FAILED: $bug: $1"
	exit 1
}

# run OUTPUT [NAME=VALUE ...]: the test's own exit code.
run() {
	out=$1
	shift
	env "$@" "$program" "--gtest_filter=$filter" --gtest_color=no \
		>"$dir/$out" 2>&1
}

# Until it is found, so with as many seeds as there ever are.
if run found WEND_SIM_PLANT="$bug" WEND_TEST_SEEDS=2000; then
	cat "$dir/found"
	fail "not found"
fi
seed=$(sed -n 's/.*replay with .*WEND_SEED=\([0-9]*\).*/\1/p' "$dir/found" |
	head -n 1)
[ -n "$seed" ] || {
	cat "$dir/found"
	fail "no seed was printed"
}

# The message that counts is the first that says what is wrong.
symptom() {
	grep -m 1 -E 'wend: |Failure|did not end|are left|run hangs' "$dir/$1" |
		sed 's/0x[0-9a-f]*/ADDRESS/g'
}

for again in first second; do
	if run $again WEND_SIM_PLANT="$bug" WEND_SEED="$seed"; then
		fail "seed $seed does not fail again"
	fi
	[ "$(symptom $again)" = "$(symptom found)" ] || {
		symptom found
		symptom $again
		fail "seed $seed fails in another way"
	}
done
run clean WEND_SEED="$seed" || {
	cat "$dir/clean"
	fail "seed $seed fails without the bug"
}
echo "$bug: found by seed $seed: $(symptom found)"
