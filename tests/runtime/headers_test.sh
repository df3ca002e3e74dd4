#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Every public header compiles alone, as C11 and as C++17, strictly and without
# a warning, with each compiler that is there.
#
# Usage: headers_test.sh INCLUDE_DIR
set -eu

include=$1
tried=0
failures=0

# check COMPILER LANGUAGE STANDARD HEADER
check() {
	tried=$((tried + 1))
	printf '#include <%s>\nint wend_header_test_is_not_empty;\n' "$4" |
		"$1" -x "$2" "-std=$3" -Wall -Wextra -Wpedantic -Wshadow \
			-Werror -fsyntax-only -I "$include" - || {
		echo "FAILED: $1 $3 $4"
		failures=$((failures + 1))
	}
}

for compiler in gcc clang; do
	command -v $compiler >/dev/null || continue
	for path in "$include"/wend/*.h; do
		header=wend/${path##*/}
		check $compiler c c11 "$header"
		check $compiler c gnu11 "$header"
		check $compiler c++ c++17 "$header"
		check $compiler c++ gnu++17 "$header"
	done
done
echo "$tried compilations, $failures failed"
[ $tried -gt 0 ] && [ $failures -eq 0 ]
