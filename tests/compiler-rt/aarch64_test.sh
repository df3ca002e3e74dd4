#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# aarch64_test.sh - cross-compile the layer for aarch64, static, and run it
# under qemu's user-mode emulation. Position-independent and not, with branch
# protection as distributions compile. Skipped, and counted as skipped, where
# the cross compiler, its C library or the emulator is missing.
#
# Runs from the project's root (or Bazel's copy of it). CROSS_CC and QEMU
# override the tools.
set -u

cc=${CROSS_CC:-aarch64-linux-gnu-gcc}
qemu=${QEMU:-qemu-aarch64}
dir=$(mktemp -d "${TEST_TMPDIR:-/tmp}/aarch64.XXXXXX") || exit 1
trap 'rm -rf "$dir"' EXIT

# Results case by case, where Bazel asks for them.
xml() {
	if [ -n "${XML_OUTPUT_FILE:-}" ]; then
		printf '%s' "$1" >>"$XML_OUTPUT_FILE"
	fi
}

xml '<?xml version="1.0" encoding="UTF-8"?><testsuites><testsuite name="aarch64">'

skip() {
	echo "SKIPPED: $1 (Debian: gcc-aarch64-linux-gnu" \
		"libc6-dev-arm64-cross qemu-user)"
	xml '<testcase name="aarch64" status="notrun"><skipped/></testcase></testsuite></testsuites>'
	exit 0
}

for tool in "$cc" "$qemu"; do
	command -v "$tool" >/dev/null 2>&1 || skip "no $tool"
done
echo 'int main(void) { return 0; }' >"$dir/empty.c"
"$cc" -static "$dir/empty.c" -o "$dir/empty" 2>/dev/null ||
	skip "$cc links no static program"

# libatomic_ops is headers alone to us; the host's serve, behind the cross
# compiler's own.
run() {
	name=$1
	shift
	# shellcheck disable=SC2086
	if "$cc" -std=gnu11 -O2 -g -fno-strict-aliasing -Wall -Wextra -Werror \
		-fexceptions -I. -idirafter /usr/include "$@" -static \
		tests/compiler-rt/aarch64_main.c \
		tests/compiler-rt/regs_aarch64.S \
		compiler-rt/ctx_aarch64.S compiler-rt/membarrier.c \
		compiler-rt/syscall.c -o "$dir/$name"; then
		"$qemu" "$dir/$name" >"$dir/$name.out"
		status=$?
	else
		status=compile
		: >"$dir/$name.out"
	fi
	while read -r word case; do
		echo "$word $name: $case"
		xml "<testcase classname=\"$name\" name=\"$case\">"
		[ "$word" = ok ] || xml '<failure message="bad"/>'
		xml '</testcase>'
	done <"$dir/$name.out"
	if [ "$status" != 0 ]; then
		echo "bad $name: exit status $status"
		xml "<testcase classname=\"$name\" name=\"exit\"><failure message=\"status $status\"/></testcase>"
		failed=1
	fi
}

failed=0
run plain -fno-pic -no-pie
run pic -fPIC
run protected -mbranch-protection=standard
xml '</testsuite></testsuites>'
exit $failed
