#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# A million leaves, 1,111,111 tasks: it must finish, with the right sum.
. tests/examples/lib.sh

status 0 "$1" 1000000
cat "$work/out"
like skynet "$(cat "$work/out")" "sum 499999500000 by 111111[01] tasks in .*"
