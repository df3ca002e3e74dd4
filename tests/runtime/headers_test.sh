#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Every public header compiles alone, as C11 and as C++17, strictly and without
# a warning, with each compiler that is there.
#
# Usage: headers_test.sh INCLUDE_DIR [STD_HEADER ...]
#
# STD_HEADER: a header of stdlib, which is included as <wend/std/...>.
set -eu

include=$1
shift
std=$(mktemp -d)
trap 'rm -rf "$std"' EXIT
mkdir -p "$std/wend/std"
[ $# -eq 0 ] || cp "$@" "$std/wend/std"
tried=0
failures=0

# check COMPILER LANGUAGE STANDARD HEADER
check() {
	tried=$((tried + 1))
	printf '#include <%s>\nint wend_header_test_is_not_empty;\n' "$4" |
		"$1" -x "$2" "-std=$3" -Wall -Wextra -Wpedantic -Wshadow \
			-Werror -fsyntax-only -I "$include" -I "$std" - || {
		echo "FAILED: $1 $3 $4"
		failures=$((failures + 1))
	}
}

for compiler in gcc clang; do
	command -v $compiler >/dev/null || continue
	for path in "$include"/wend/*.h "$std"/wend/std/*.h; do
		[ -e "$path" ] || continue
		header=wend/${path##*/wend/}
		check $compiler c c11 "$header"
		check $compiler c gnu11 "$header"
		check $compiler c++ c++17 "$header"
		check $compiler c++ gnu++17 "$header"
	done
done
echo "$tried compilations, $failures failed"
[ $tried -gt 0 ] && [ $failures -eq 0 ]
