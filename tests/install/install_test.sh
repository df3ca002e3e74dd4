#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# What was installed can be used: program.c is built and run outside the tree
# against it by a Makefile, by CMake and by Bazel, each with the shared and
# with the static library.  The installation is moved before its first use, so
# no file in it may know where it was made.
#
# usage: install_test.sh PATH-OF-INSTALL (from the runfiles directory)
#
# Each way is a test case of its own in the XML; one whose build tool is not
# installed is skipped there.
# shellcheck disable=SC2317 # the cases are called by name
set -uo pipefail

install=$PWD/$1
here=$PWD/tests/install
tmp=${TEST_TMPDIR:?}
prefix=$tmp/moved/wend
version=$(cat runtime/VERSION)
xml='' failed=0 reason=''

# works DIR [PACKAGE...]: the programs, and those of packages, say what they
# should, and each is linked as its name says
works()
{
	local dir=$1 package kind out needs

	shift
	for package in "" "$@"; do
		for kind in shared static; do
			out=$("$dir/${package:+${package}_}$kind") || return
			echo "$package $kind: $out"
			[ "$out" = "wend $version: 42" ] || return
			needs=$(readelf -d "$dir/${package:+${package}_}$kind") ||
				return
			case $kind-$needs in
			shared-*libwend${package:+-$package}.so.0*) ;;
			shared-*) echo "not linked with it" && return 1 ;;
			static-*libwend*) echo "not linked statically" && return 1 ;;
			esac
		done
	done
}

# have TOOL...: 77, with the reason, if one is missing
have()
{
	for tool; do
		command -v "$tool" >/dev/null || {
			reason="no $tool"
			return 77
		}
	done
}

test_layout()
{
	BUILD_WORKING_DIRECTORY=$tmp "$install" --prefix first/wend || return
	mkdir "$tmp/moved" && mv "$tmp/first/wend" "$prefix" || return
	local lib
	for lib in libwend libwend-json libwend-tls; do
		lib=$prefix/lib/$lib.so
		[ "$(readlink "$lib")" = "${lib##*/}.0" ] || return
		[ "$(readlink "$lib.0")" = "${lib##*/}.$version" ] || return
	done
	# Nothing that is text may tell where it was made.
	! grep -rIl -e "$tmp" "$prefix"
}

test_destdir()
{
	"$install" --destdir "$tmp/stage" --prefix=/opt/w >/dev/null || return
	diff -r "$tmp/stage/opt/w" "$prefix"
}

test_usage()
{
	"$install" --prefix
	[ $? -eq 2 ] || return
	"$install" --bogus /x
	[ $? -eq 2 ]
}

# The command runs from where it was moved to, and knows what it belongs to.
test_command()
{
	local said

	said=$("$prefix/bin/wend" info) || return
	grep -qx "  wend  *$version" <<<"$said"
}

# Each header alone: none includes what was not installed.
test_headers()
{
	local h name

	for h in "$prefix"/include/wend/*.h "$prefix"/include/wend/std/*.h; do
		name="wend/${h##*/wend/}"
		echo "#include <$name>" >"$tmp/one.c"
		gcc -std=c11 -Wall -Werror -fsyntax-only -I"$prefix/include" \
			"$tmp/one.c" || return
		g++ -std=c++17 -Wall -Werror -fsyntax-only -x c++ \
			-I"$prefix/include" "$tmp/one.c" || return
	done
}

test_make()
{
	have make pkg-config || return
	mkdir "$tmp/make" || return
	cp "$here"/{Makefile,program.c,json.c,tls.c} "$tmp/make" || return
	PKG_CONFIG_PATH=$prefix/lib/pkgconfig make -C "$tmp/make" || return
	works "$tmp/make" json tls
}

test_cmake()
{
	have cmake make || return
	mkdir "$tmp/cmake" || return
	cp "$here"/{CMakeLists.txt,program.c,json.c,tls.c} "$tmp/cmake" ||
		return
	cmake -G 'Unix Makefiles' -S "$tmp/cmake" -B "$tmp/cmake/out" \
		-DCMAKE_PREFIX_PATH="$prefix" || return
	cmake --build "$tmp/cmake/out" || return
	works "$tmp/cmake/out" json tls
}

# A Bazel of its own: no server left behind, nothing of the outer one's, and
# no sandbox inside a sandbox.
test_bazel()
{
	local user=$tmp/bazel major

	have bazel || return
	major=$(bazel --version 2>/dev/null | sed -n 's/^bazel \([0-9]*\).*/\1/p')
	if [ "${major:-0}" -ge 7 ]; then
		reason="Bazel $major does not read a WORKSPACE"
		return 77
	fi
	mkdir -p "$user/bazel" "$tmp/home" || return
	cp -L bazel/{BUILD,compat.bzl,coverage_merger.py,googletest.BUILD} \
		"$user/bazel" || return
	cp "$here/program.c" "$here/wend.BUILD" "$user" || return
	cp "$here/user.BUILD" "$user/BUILD" || return
	sed "s|@PREFIX@|$prefix|" "$here/user.WORKSPACE" >"$user/WORKSPACE" ||
		return
	(
		cd "$user" &&
			HOME=$tmp/home bazel --batch --nohome_rc \
				--output_user_root="$tmp/root" build \
				--spawn_strategy=local --noshow_progress \
				--color=no //:shared //:static </dev/null &&
			works bazel-bin
	)
}

# Every call of the table is exported by both libraries.
test_symbols()
{
	local lib

	for lib in libwend.so libwend-preload.so; do
		nm -D --defined-only "$prefix/lib/$lib" | awk '{ print $3 }' |
			sort >"$tmp/exported" || return
		sort runtime/block/calls.txt | comm -23 - "$tmp/exported" \
			>"$tmp/missing" || return
		[ -s "$tmp/exported" ] && [ ! -s "$tmp/missing" ] || {
			echo "not in $lib:" && cat "$tmp/missing"
			return 1
		}
	done
}

# A package's library has what is its own, and nothing that libwend has: there
# would be two of it in a program.
test_packages()
{
	local lib

	# The linker's own are in each.
	exported()
	{
		nm -D --defined-only "$prefix/lib/$1.so" |
			awk '{ print $3 }' | grep -v '^_' | sort
	}
	exported libwend >"$tmp/wend" || return
	for lib in json tls; do
		exported "libwend-$lib" >"$tmp/own" || return
		grep -q "^wend_${lib}_" "$tmp/own" || return
		[ -z "$(comm -12 "$tmp/wend" "$tmp/own" | tee /dev/stderr)" ] ||
			return
		readelf -d "$prefix/lib/libwend-$lib.so" |
			grep -E 'RPATH|RUNPATH' && return 1
		nm --defined-only "$prefix/lib/libwend-$lib.a" |
			grep -E ' T wend_(net|conn|io|main)' && return 1
	done
	return 0
}

# A library that knows nothing of wend reads from a pipe in a task, and another
# task runs meanwhile, in each way in which the two may come together.
# blocking.c would wait for ever if the library's read() were not announced.
test_libraries()
{
	local d=$tmp/libraries lib=$prefix/lib run preload=$prefix/lib/libwend-preload.so
	local private static
	read -ra private < <(sed -n 's/^Libs.private: //p' \
		"$lib/pkgconfig/wend.pc")
	static=(-L"$tmp/libraries" -lreader "$lib/libwend.a" "${private[@]}"
		-Wl,-rpath,"$tmp/libraries")
	local shared=(-L"$tmp/libraries" -lreader -L"$lib" -lwend
		-Wl,-rpath,"$lib:$tmp/libraries")

	mkdir "$d" && cp "$here"/{blocking,blocking_host,reader}.c "$d" &&
		cd "$d" || return
	gcc -O2 -fPIC -shared -o libreader.so reader.c &&
		gcc -O2 -I"$prefix/include" -c blocking.c blocking_host.c &&
		gcc -o shared blocking.o blocking_host.o "${shared[@]}" &&
		gcc -o static blocking.o blocking_host.o "${static[@]}" ||
		return

	# Where the library's calls are not bound to the runtime's: its symbols
	# are hidden in a static program; it comes after the C library, as only
	# another library needs it; it is loaded late.
	gcc -o hidden blocking.o blocking_host.o "${static[@]}" \
		-Wl,--exclude-libs,ALL &&
		gcc -O2 -fPIC -shared -I"$prefix/include" -o libblocking.so \
			blocking.c "${shared[@]}" &&
		gcc -o indirect blocking_host.o -L. -lblocking \
			-Wl,-rpath,"$d" &&
		gcc -DLOAD -o loading blocking_host.c -ldl || return

	for run in ./shared ./static; do
		echo "$run"
		timeout 60 "$run" || return
	done
	for run in ./shared ./static ./hidden ./indirect \
		"./loading $d/libblocking.so"; do
		echo "$run, LD_PRELOAD"
		# shellcheck disable=SC2086 # two words
		LD_PRELOAD=$preload timeout 60 $run || return
	done
	# A program that has no runtime is not changed.
	LD_PRELOAD=$preload timeout 60 sh -c 'echo a | cat | wc -l' >/dev/null
}

# case_of NAME: run test_NAME; add a case to the XML
case_of()
{
	local inner='' status

	echo "== $1"
	reason=''
	"test_$1" 2>&1
	status=$?
	case $status in
	0) echo "ok $1" ;;
	77) echo "SKIPPED $1: $reason" && inner="<skipped message=\"$reason\"/>" ;;
	*) echo "FAILED $1" && inner='<failure message="see the log"/>' && failed=1 ;;
	esac
	xml+="<testcase classname=\"install\" name=\"$1\">$inner</testcase>"
}

for name in layout destdir usage command headers make cmake bazel symbols \
	packages libraries; do
	case_of "$name"
done
[ -z "${XML_OUTPUT_FILE-}" ] ||
	echo "<testsuites><testsuite name=\"install\">$xml</testsuite></testsuites>" \
		>"$XML_OUTPUT_FILE"
# Bazel's files are read-only, which would keep its outer one from tidying up.
chmod -R u+w "$tmp"
exit "$failed"
