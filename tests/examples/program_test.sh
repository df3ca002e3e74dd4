#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# program_test.sh PROGRAM [SIZE] - an example that computes says what it must:
# with one server, with four, and on the sim port with several seeds; and it
# knows --help and refuses what it does not understand.
. tests/examples/lib.sh

program=$1 size=${2-}
name=$(basename "$program")

# What the program prints for that size.
check()
{
	local got

	got=$(cat "$work/out")
	case $name in
	hello)
		equal hello "$got" "hello, there, from a task
it greeted 5 letters"
		;;
	blocking)
		like blocking "$got" "sum 5050, [0-9]+ servers, [0-9]+ ms"
		;;
	primes)
		equal primes "$(echo "$got" | wc -l)" "$size"
		equal primes "$(echo "$got" | head -5 | paste -sd ' ')" \
			"2 3 5 7 11"
		equal primes "$(echo "$got" | tail -1)" 541
		;;
	pingpong)
		like pingpong "$got" \
			"$((2 * size)) hits in .* ms, .* ns a round trip"
		;;
	pipeline)
		equal pipeline "$got" \
			"17647 comes down to 1 in 278 steps, the most below $size"
		;;
	skynet)
		like skynet "$got" "sum $((size * (size - 1) / 2)) by \
[0-9]+ tasks in [0-9]+ ms, at most [0-9]+ MiB"
		;;
	*)
		fail "nothing is known about $name"
		;;
	esac
	equal "$name's errors" "$(cat "$work/err")" ""
}

# On the sim port time is virtual and no call may block in the kernel.
seeds='1 2 3'
case $name in
hello) args=(there) ;;
blocking) args=() seeds='' ;;
*) args=("$size") ;;
esac

for procs in 1 4; do
	echo "with $procs servers"
	status 0 env WEND_PROCS=$procs "$program" "${args[@]}"
	check
done
for seed in $seeds; do
	echo "on the sim port, seed $seed"
	status 0 env WEND_PORT=sim WEND_SEED="$seed" "$program" "${args[@]}"
	check
done

if [ "$name" != blocking ]; then
	echo "--help"
	status 0 "$program" --help
	like "$name --help" "$(head -1 "$work/out")" "usage: $name.*"
fi
if [ -n "$size" ]; then
	echo "bad arguments"
	for bad in x -1 1x 99999999999999999999 "1 2"; do
		# shellcheck disable=SC2086 # two words
		status 2 "$program" $bad
		like "$name $bad" "$(head -1 "$work/err")" "usage: $name.*"
	done
fi
