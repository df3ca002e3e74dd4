#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Run tests and count them by case.
#
#   tools/ci_test.sh [--name NAME] [--tally FILE] [bazel flags] [targets]
#
# Targets default to //... .  The last line on stdout is "N passed, N failed"
# (", N skipped"), behind "NAME: " if there is one.  --tally appends the numbers
# to FILE, for one sum over several runs.  The exit status is bazel's, and
# never 0 when something failed or nothing ran.
cd "$(dirname "$0")/.." || exit 1

# Bazel wants a home that it can write to.
if ! [ -w "${HOME-}" ]; then
	HOME=${TMPDIR:-/tmp}/home-$(id -u)
	export HOME
	mkdir -p "$HOME" || exit 1
fi

name='' tally=''
while :; do
	case ${1-} in
	--name) name=$2 ;;
	--tally) tally=$2 ;;
	*) break ;;
	esac
	shift 2
done

targets=
for arg; do
	case $arg in //* | @* | :* | -//*) targets=yes ;; esac
done
[ "$targets" ] || set -- "$@" //...

events=$(mktemp) || exit 1
trap 'rm -f "$events"' EXIT
bazel test --config=ci --build_event_json_file="$events" "$@" </dev/null
status=$?
python3 tools/test_summary.py --name "$name" --tally "$tally" \
	--status "$status" "$events"
counted=$?
[ "$status" -ne 0 ] || status=$counted
exit "$status"
