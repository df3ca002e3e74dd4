#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# models_test.sh [NAME...] - search every model in docs/models exhaustively:
# each holds, and each of its variants that leaves something out is refuted, by
# the kind of error that it should be. Skipped, and counted as skipped, where
# spin or a C compiler is missing. With names: those cases alone, such as
# mutex or "idle NO_FENCE".
#
# Runs from the project's root (or Bazel's copy of it). SPIN and CC override
# the tools; MODEL_MEMORY is the most megabytes that a search may take.
set -u

spin=${SPIN:-spin}
cc=${CC:-cc}
memory=${MODEL_MEMORY:-1500}
models=$PWD/docs/models
work=$(mktemp -d "${TEST_TMPDIR:-${TMPDIR:-/tmp}}/models.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
failed=0 ran=0

# Results case by case, where Bazel asks for them.
xml()
{
	if [ -n "${XML_OUTPUT_FILE:-}" ]; then
		printf '%s\n' "$1" >>"$XML_OUTPUT_FILE"
	fi
}

xml '<?xml version="1.0" encoding="UTF-8"?><testsuites><testsuite name="models">'

skip()
{
	echo "SKIPPED: $1 (Debian: spin gcc)"
	xml '<testcase name="models" status="notrun"><skipped/></testcase></testsuite></testsuites>'
	exit 0
}

for tool in "$spin" "$cc"; do
	command -v "$tool" >/dev/null 2>&1 || skip "no $tool"
done

# search HOW MODEL DEFINES...: pan's output goes to $work/out. Breadth first
# finds the shortest counterexample; depth first needs less memory for all.
# Optimizing takes longer than it saves.
search()
{
	local extra=() model=$2

	[ "$1" = depth ] || extra=(-DBFS)
	shift 2

	rm -f "$work"/pan*
	(
		cd "$work" || exit 1
		"$spin" -a "${@/#/-D}" "$models/$model.pml" &&
			"$cc" -O0 -w "${extra[@]}" -DSAFETY -DCOLLAPSE \
				-DVECTORSZ=1024 "-DMEMLIM=$memory" \
				-o pan pan.c &&
			./pan -m100000 -w22
	) >"$work/out" 2>&1
}

# What the search came to: "holds", or what the first error was. "incomplete"
# says that it was no search at all, or not one of everything.
verdict()
{
	if grep -q -e 'search depth too small' -e 'MEMLIM' \
		-e 'out of memory' -e '^spin: .*[Ee]rror' "$work/out"; then
		echo incomplete
	elif grep -q 'errors: 0$' "$work/out"; then
		echo holds
	elif grep -q '^pan:1: ' "$work/out"; then
		sed -n 's/^pan:1: \(.*\) (at depth .*/\1/p' "$work/out"
	else
		echo incomplete
	fi
}

number() # TEXT: the number before it in pan's output
{
	sed -n "s/^ *\([0-9.]*\)[[:space:]]*$1.*/\1/p" "$work/out" | head -1
}

# check WANT MODEL DEFINES...: WANT is what the verdict must contain.
check()
{
	local want=$1 how=breadth got start
	shift

	selected "$*" || return
	[ "$want" != holds ] || how=depth
	start=$(date +%s%N)
	search $how "$@"
	got=$(verdict)
	ran=$((ran + 1))
	xml "<testcase classname=\"$1\" name=\"$*\">"
	if [[ $got = *"$want"* ]]; then
		printf 'ok  '
		[ "$want" = holds ] || got=refuted
	else
		printf 'bad '
		failed=1
		cat "$work/out"
		xml '<failure message="another verdict: see the log"/>'
	fi
	xml '</testcase>'
	printf '%-46s %-8s %8s states %4s MB %6d ms\n' "$*" "$got" \
		"$(number 'states, stored')" \
		"$(number 'total actual memory usage' | sed 's/[.].*//')" \
		$((($(date +%s%N) - start) / 1000000))
}

only=("$@")

selected() # CASE
{
	local name

	[ ${#only[@]} -gt 0 ] || return 0
	for name in "${only[@]}"; do
		[[ "$1 " != "$name "* ]] || return 0
	done
	return 1
}

# P1: a task is queued and a server idle, and nothing moves.
idles='idle_count>0'
stuck='invalid end state'

check holds idle
check holds idle PUSHES=2 FOREIGN=1
check holds idle YIELDS=1 FOREIGN=1
check holds idle BLOCKS=1 FOREIGN=0 START=2
check holds idle ASYMMETRIC FOREIGN=1 YIELDS=1
check $idles idle NO_FENCE FOREIGN=1
check $idles idle NO_RECHECK FOREIGN=1
check $idles idle NO_LOOK_OTHER FOREIGN=0
check $idles idle NO_LOOK_BLOCK BLOCKS=1 FOREIGN=0 START=2
check $idles idle NO_TELL_TAKEN PUSHES=0
check $idles idle NO_TELL_YIELD YIELDS=1 FOREIGN=1

check holds limits FOREIGN=0 PUSHES=2
check holds limits START=1 PUSHES=0
check $idles limits NO_FENCE
check $idles limits NO_WANTED
check $idles limits NO_SERVE FOREIGN=0 PUSHES=2
check $idles limits NO_SERVE_PUSH
check $idles limits NO_AGAIN

check holds lone
check holds lone THREADS=1 ROUNDS=4
check 'holders[at]==1' lone NO_HEAVY
check 'holders[at]==1' lone NO_ENDING
check 'holders[at]==1' lone NO_WAIT
check 'holders[at]==1' lone NO_WORD
check 'holders[at]==1' lone NO_BACK

check holds park
check holds park ROUNDS=2
check 'on_stack' park NO_ON_CPU
check "$stuck" park WAIT_ON_STACK
check "$stuck" park NO_CANCEL_FENCE
check 'wins[t]==1' park NO_CLAIM
check 'timed_out==ticket' park NO_TICKET

check holds mutex
check holds mutex TIMED=3
check holds mutex TASKS=4 ROUNDS=1
check holds mutex NO_MEMBARRIER
check "$stuck" mutex NO_HEAVY
check "$stuck" mutex NO_RELEASE
check 'mem[1]==0' mutex NO_TIDY
check "$stuck" mutex NO_DROP

check holds preempt
check holds preempt ROUNDS=3 TRIES=3
check 'inside' preempt NO_FENCE
check 'inside' preempt NO_LOOK
check 'inside' preempt NO_NO
check 'assert' preempt BLIND_QUEUE
check 'inside' preempt END_ANY
check "$stuck" preempt WAIT_TAKEN
check 'assert' preempt SERVER_LAST

xml '</testsuite></testsuites>'
if [ $ran -eq 0 ]; then
	echo "no such case: ${only[*]}" >&2
	exit 2
fi
exit $failed
