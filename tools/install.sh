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

# soname NAME: of libNAME.so
soname()
{
	readelf -d "$built/lib$1.so" |
		sed -n 's/.*(SONAME).*\[\(.*\)\]/\1/p'
}

for lib in wend wend-json wend-tls; do
	if [ -z "$version" ] || [ -z "$(soname $lib)" ]; then
		echo "install: no version or soname in what was built" >&2
		exit 1
	fi
done

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

# put_library NAME: both libraries, and the names by which the shared one is found
put_library()
{
	local name

	name=$(soname "$1")
	put "$built/lib$1.a" 644 "lib/lib$1.a"
	put "$built/lib$1.so" 755 "lib/lib$1.so.$version"
	put_link "lib$1.so.$version" "lib/$name"
	put_link "$name" "lib/lib$1.so"
}

# put_pkgconfig NAME DESCRIPTION LINE...: the lines are what it needs
put_pkgconfig()
{
	local name=$1 description=$2

	shift 2
	put_text "lib/pkgconfig/$name.pc" <<EOF
prefix=\${pcfiledir}/../..
libdir=\${prefix}/lib
includedir=\${prefix}/include

Name: $name
Description: $description
Version: $version
Cflags: -I\${includedir}
Libs: -L\${libdir} -l$name
$(printf '%s\n' "$@")
EOF
}

put_cmake()
{
	put_text lib/cmake/wend/wendConfig.cmake <<EOF
# wend::wend is the shared library, wend::wend_static the static one; so are
# wend::json and wend::tls, for packages that need Jansson and OpenSSL:
#   find_package(wend REQUIRED COMPONENTS json tls)
include(CMakeFindDependencyMacro)
find_dependency(Threads)

get_filename_component(_wend_prefix "\${CMAKE_CURRENT_LIST_DIR}/../../.." ABSOLUTE)

# The target wend::NAME is libFILE; both are linked with what stands behind.
macro(_wend_library name file soname shared_needs static_needs)
  if(NOT TARGET wend::\${name})
    add_library(wend::\${name} SHARED IMPORTED)
    set_target_properties(wend::\${name} PROPERTIES
      IMPORTED_LOCATION "\${_wend_prefix}/lib/lib\${file}.so.$version"
      IMPORTED_SONAME "\${soname}"
      INTERFACE_INCLUDE_DIRECTORIES "\${_wend_prefix}/include"
      INTERFACE_LINK_LIBRARIES "\${shared_needs}")

    add_library(wend::\${name}_static STATIC IMPORTED)
    set_target_properties(wend::\${name}_static PROPERTIES
      IMPORTED_LOCATION "\${_wend_prefix}/lib/lib\${file}.a"
      INTERFACE_INCLUDE_DIRECTORIES "\${_wend_prefix}/include"
      INTERFACE_LINK_LIBRARIES "\${static_needs}")
  endif()
endmacro()

_wend_library(wend wend $(soname wend) ""
  "ffi;uring;atomic_ops;Threads::Threads;\${CMAKE_DL_LIBS}")
_wend_library(json wend-json $(soname wend-json) "wend::wend;jansson"
  "wend::wend_static;jansson")
_wend_library(tls wend-tls $(soname wend-tls) "wend::wend"
  "wend::wend_static;ssl;crypto")

foreach(_wend_component IN LISTS wend_FIND_COMPONENTS)
  if(TARGET wend::\${_wend_component})
    set(wend_\${_wend_component}_FOUND TRUE)
  elseif(wend_FIND_REQUIRED_\${_wend_component})
    set(wend_FOUND FALSE)
    set(wend_NOT_FOUND_MESSAGE "wend has no \${_wend_component}")
  endif()
endforeach()

unset(_wend_component)
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
for lib in wend wend-json wend-tls; do
	put_library $lib
done
put "$built/runtime/block/libwend-preload.so" 755 lib/libwend-preload.so
put_pkgconfig wend "goroutines for C: tasks, channels, select, timers" \
	"Libs.private: -lffi -luring -latomic_ops -lpthread -ldl"
put_pkgconfig wend-json "JSON for wend, by Jansson" \
	"Requires: wend = $version, jansson"
put_pkgconfig wend-tls "TLS for wend, by OpenSSL" \
	"Requires: wend = $version" "Libs.private: -lssl -lcrypto"
put_cmake
put "$built/tools/wend/wend" 755 bin/wend
put LICENSE 644 share/doc/wend/LICENSE
