#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# What the compiler must refuse: channels of one element type used as those of
# another, arguments that a task does not take. Each snippet stands beside one
# that differs only in what is wrong and must compile, so that no other mistake
# makes the test pass.
#
# Usage: compile_fail_test.sh INCLUDE_DIR
set -eu

include=$1
dir=${TEST_TMPDIR:-/tmp}/compile_fail.$$
mkdir -p "$dir"
trap 'rm -rf "$dir"' EXIT
failures=0

# compiles LANGUAGE: what stands in $body, in a function, without a warning.
compiles() {
	{
		echo '#include <wend/short.h>'
		echo "$top"
		echo 'void f(void);'
		echo 'void f(void) {'
		echo "$body"
		echo '}'
	} >"$dir/snippet.$1"
	case $1 in
	c) std=c11 ;;
	*) std=c++17 ;;
	esac
	"$compiler" -x "$(language "$1")" -std=$std -Wall -Wextra -Werror \
		-c -o "$dir/snippet.o" -I "$include" "$dir/snippet.$1" \
		>"$dir/out" 2>&1
}

language() {
	if [ "$1" = c ]; then echo c; else echo c++; fi
}

# pair WHAT GOOD BAD: GOOD compiles, BAD does not, in C and in C++.
pair() {
	for kind in c cc; do
		body=$2
		if ! compiles $kind; then
			echo "FAILED: $compiler $kind: $1: refused: $2"
			cat "$dir/out"
			failures=$((failures + 1))
		fi
		body=$3
		if compiles $kind; then
			echo "FAILED: $compiler $kind: $1: accepted: $3"
			failures=$((failures + 1))
		fi
	done
}

top='WEND_TASK(work, (int, n), (chan(int), c)) { (void)n; (void)c; }
     WEND_TASK(idle) { }
     static int use(void *p) { (void)p; return wend_go(idle) + wend_go(work, 1, NULL); }'

check_all() {
	pair 'assigning a channel of another type' \
		'chan(int) a = NULL; chan(int) b = a; use(b);' \
		'chan(double) a = NULL; chan(int) b = a; use(b);'
	pair 'making a channel of another type' \
		'chan(int) a = chan_make(int, 1); use(a);' \
		'chan(int) a = chan_make(double, 1); use(a);'
	pair 'receiving into another type' \
		'chan(int) a = NULL; int v; chan_recv(a, &v); use(a);' \
		'chan(int) a = NULL; long v; chan_recv(a, &v); use(a);'
	pair 'receiving into another type, with a deadline' \
		'chan(int) a = NULL; int v; use(a); if (chan_recv_until(a, &v, 0)) return;' \
		'chan(int) a = NULL; char v; use(a); if (chan_recv_until(a, &v, 0)) return;'
	pair 'sending what cannot be converted' \
		'chan(int) a = NULL; chan_send(a, 1); use(a);' \
		'chan(int) a = NULL; chan_send(a, "text"); use(a);'
	pair 'selecting into another type' \
		'chan(int) a = NULL; int v; select_(0, on_recv(a, &v)); use(a);' \
		'chan(int) a = NULL; double v; select_(0, on_recv(a, &v)); use(a);'
	pair 'a task with too few arguments' \
		'chan(int) a = NULL; go(work, 1, a); use(a);' \
		'chan(int) a = NULL; go(work, 1); use(a);'
	pair 'a task with too many arguments' \
		'go(idle); use(NULL);' \
		'go(idle, 1); use(NULL);'
	pair 'a task with a channel of another type' \
		'chan(int) a = NULL; go(work, 1, a); use(a);' \
		'chan(char) a = NULL; go(work, 1, a); use(a);'
	pair 'a result that must be looked at' \
		'use(NULL); if (wend_start(NULL)) return;' \
		'use(NULL); wend_start(NULL);'
}

tried=0
for compiler in gcc clang; do
	command -v $compiler >/dev/null || continue
	tried=$((tried + 1))
	check_all
done
if [ $tried -eq 0 ]; then
	echo "no compiler found"
	exit 1
fi
[ $failures -eq 0 ]
