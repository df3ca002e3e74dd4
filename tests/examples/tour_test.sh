#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# tour sees what tour.out says: with one server, with four, and on the sim port
# with several seeds as far as it goes there.
. tests/examples/lib.sh

program=$1
expected=tests/examples/tour.out
step='^[a-z]*: ' # what they say is indented

mapfile -t steps < <(sed -n 's/^\([a-z]*\): .*/\1/p' $expected)
for bad in nothing --what "--pace x" "--pace -1" "tasks nothing"; do
	# shellcheck disable=SC2086 # several words
	status 2 "$program" $bad
done
status 0 "$program" --help
like "--help" "$(head -1 "$work/out")" "usage: tour.*"
equal "the steps" "$(sed -n 's/^  \([a-z]*\)  .*/\1/p' "$work/out" |
	grep -v pace | paste -sd ' ')" "${steps[*]}"

# what_is_expected STEP...
what_is_expected()
{
	for name in "$@"; do
		sed -n "/^$name: /,/$step/ { /^$name: /p; /^ /p }" $expected
	done
}

left=()
for name in "${steps[@]}"; do
	if [ "$name" = preemption ] && is_tsan "$program"; then
		echo "SKIPPED: nothing is preempted under ThreadSanitizer"
	else
		left+=("$name")
	fi
done
what_is_expected "${left[@]}" >"$work/all"
[ ${#left[@]} != ${#steps[@]} ] || cmp $expected "$work/all"

for procs in 1 4; do
	echo "with $procs servers"
	for run in 1 2 3; do
		status 0 env WEND_PROCS=$procs "$program" "${left[@]}"
		diff "$work/all" "$work/out" || fail "run $run is different"
		equal "stderr" "$(cat "$work/err")" ""
	done
done
[ ${#left[@]} != ${#steps[@]} ] || {
	status 0 "$program"
	diff $expected "$work/out"
}

echo "one step"
status 0 "$program" --pace 1 select tasks
what_is_expected select tasks | diff - "$work/out"

for seed in 1 2 3; do
	echo "on the sim port, seed $seed"
	status 0 env WEND_PORT=sim WEND_SEED=$seed "$program"
	sed '/^blocking: /,$d' $expected >"$work/sim"
	diff "$work/sim" <(sed '/^blocking: /,$d' "$work/out")
	equal "what does not go" "$(grep -c 'not on the sim port' \
		"$work/out")" 6
done

for signal in INT TERM; do
	echo "SIG$signal between two steps"
	: >"$work/out" # not what the last one said
	"$program" --pace 100000 defer tasks >"$work/out" &
	client=$!
	for ((i = 0; i < 1200; i++)); do
		! grep -q "deferred as number 1" "$work/out" || break
		sleep 0.05
	done
	kill -$signal $client
	wait $client || fail "exit status $?"
	(what_is_expected defer && echo interrupted) | diff - "$work/out"
done
