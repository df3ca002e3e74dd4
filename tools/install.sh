#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Install headers, libraries, the files by which pkg-config and CMake find
# them, and the command wend.  Run through Bazel, which has built everything and sets the directory:
#
#   bazel run -c opt //:install -- [--prefix DIR] [--destdir DIR]
#
#   --prefix DIR   where it is to be used, default /usr/local; a relative one
#                  is taken from where bazel was called
#   --destdir DIR  put in front of prefix while copying (for packagers)
#   --built DIR    where built files lie, if not beside the sources (//:dist)
#
# No installed file names an absolute path, so the tree may be moved.
set -euo pipefail

prefix=/usr/local destdir=${DESTDIR:-} built=.

usage()
{
	echo "usage: install [--prefix DIR] [--destdir DIR]" >&2
	exit 2
}

while [ $# -gt 0 ]; do
	case $1 in
	--*=*) set -- "${1%%=*}" "${1#*=}" "${@:2}" ;;
	esac
	[ -n "${2-}" ] || usage
	case $1 in
	--prefix) prefix=$2 ;;
	--destdir) destdir=$2 ;;
	--built) built=$2 ;;
	*) usage ;;
	esac
	shift 2
done

here=${BUILD_WORKING_DIRECTORY:-$PWD}
case $prefix in /*) ;; *) prefix=$here/$prefix ;; esac
case $destdir in '' | /*) ;; *) destdir=$here/$destdir ;; esac
root=$destdir$prefix

version=$(cat runtime/VERSION)
soname=$(readelf -d "$built/libwend.so" | sed -n 's/.*(SONAME).*\[\(.*\)\]/\1/p')
if [ -z "$version" ] || [ -z "$soname" ]; then
	echo "install: no version or soname in what was built" >&2
	exit 1
fi
real=libwend.so.$version

# put FILE MODE PATH: install it and say so.  Not by install(1): under a Bazel
# test "." is on PATH, and there this script has that name.
put()
{
	mkdir -p "$root/${3%/*}"
	cp -Lf --remove-destination "$1" "$root/$3"
	chmod "$2" "$root/$3"
	echo "  $3"
}

# put_text PATH: the same from stdin
put_text()
{
	mkdir -p "$root/${1%/*}"
	cat >"$root/$1"
	chmod 644 "$root/$1"
	echo "  $1"
}

put_link()
{
	ln -sfn "$1" "$root/$2"
	echo "  $2 -> $1"
}

put_headers()
{
	local f

	for f in runtime/include/wend/*.h "$built"/runtime/include/wend/*.h; do
		[ ! -e "$f" ] || echo "${f##*/} $f"
	done | sort -u -k 1,1 | while read -r name f; do
		put "$f" 644 "include/wend/$name"
	done
	# A package's own headers lie there, too: a public one says its name.
	# Bazel makes "$built/stdlib" only when a built file lies in it.
	local dirs=(stdlib)
	[ ! -d "$built/stdlib" ] || dirs+=("$built/stdlib")
	find "${dirs[@]}" -name '*.h' |
		while read -r f; do
			name=wend/std/${f##*/}
			! grep -q "^ \* $name - " "$f" || echo "$name $f"
		done | sort -u -k 1,1 | while read -r name f; do
			put "$f" 644 "include/$name"
		done
}

put_pkgconfig()
{
	put_text lib/pkgconfig/wend.pc <<EOF
prefix=\${pcfiledir}/../..
libdir=\${prefix}/lib
includedir=\${prefix}/include

Name: wend
Description: goroutines for C: tasks, channels, select, timers
Version: $version
Cflags: -I\${includedir}
Libs: -L\${libdir} -lwend
Libs.private: -lffi -luring -latomic_ops -lpthread -ldl
EOF
}

put_cmake()
{
	put_text lib/cmake/wend/wendConfig.cmake <<EOF
# wend::wend is the shared library, wend::wend_static the static one.
include(CMakeFindDependencyMacro)
find_dependency(Threads)

get_filename_component(_wend_prefix "\${CMAKE_CURRENT_LIST_DIR}/../../.." ABSOLUTE)

if(NOT TARGET wend::wend)
  add_library(wend::wend SHARED IMPORTED)
  set_target_properties(wend::wend PROPERTIES
    IMPORTED_LOCATION "\${_wend_prefix}/lib/$real"
    IMPORTED_SONAME "$soname"
    INTERFACE_INCLUDE_DIRECTORIES "\${_wend_prefix}/include")

  add_library(wend::wend_static STATIC IMPORTED)
  set_target_properties(wend::wend_static PROPERTIES
    IMPORTED_LOCATION "\${_wend_prefix}/lib/libwend.a"
    INTERFACE_INCLUDE_DIRECTORIES "\${_wend_prefix}/include"
    INTERFACE_LINK_LIBRARIES "ffi;uring;atomic_ops;Threads::Threads;\${CMAKE_DL_LIBS}")
endif()

unset(_wend_prefix)
EOF
	# Before 1.0 a minor version may break what the one before offered.
	put_text lib/cmake/wend/wendConfigVersion.cmake <<EOF
set(PACKAGE_VERSION "$version")
if(PACKAGE_FIND_VERSION VERSION_GREATER PACKAGE_VERSION)
  set(PACKAGE_VERSION_COMPATIBLE FALSE)
elseif(PACKAGE_FIND_VERSION_MAJOR EQUAL ${version%%.*})
  if(PACKAGE_FIND_VERSION_MAJOR GREATER 0 OR
     NOT DEFINED PACKAGE_FIND_VERSION_MINOR OR
     PACKAGE_FIND_VERSION_COUNT LESS 2 OR
     PACKAGE_FIND_VERSION_MINOR EQUAL $(echo "$version" | cut -d. -f2))
    set(PACKAGE_VERSION_COMPATIBLE TRUE)
  endif()
endif()
if(PACKAGE_FIND_VERSION VERSION_EQUAL PACKAGE_VERSION)
  set(PACKAGE_VERSION_EXACT TRUE)
endif()
EOF
}

echo "wend $version into $root:"
put_headers
put "$built/libwend.a" 644 lib/libwend.a
put "$built/libwend.so" 755 "lib/$real"
put_link "$real" "lib/$soname"
put_link "$soname" lib/libwend.so
put "$built/runtime/block/libwend-preload.so" 755 lib/libwend-preload.so
put_pkgconfig
put_cmake
put "$built/tools/wend/wend" 755 bin/wend
put LICENSE 644 share/doc/wend/LICENSE
