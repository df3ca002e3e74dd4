# SPDX-License-Identifier: Apache-2.0
"""Building the programs: wend's with Bazel, the peers' with their compilers.

Nothing is fetched and nothing is written to the source tree.  The peers'
programs are kept in the user's cache under a hash of their sources and the
compiler's version, so that a second call builds nothing.
"""

import hashlib
import os
import pathlib
import shutil
import subprocess

BENCH = pathlib.Path(__file__).resolve().parent.parent
ROOT = BENCH.parent
SETUP = "tools/setup bench"
CFLAGS = ["-O2", "-fno-strict-aliasing", f"-I{ROOT}"]
# The stalls make their system calls with these.
SYSCALLS = [ROOT / "compiler-rt" / f"syscall{cpu}.h"
            for cpu in ("", "_x86_64", "_aarch64")]
SOURCES = {".c", ".cc", ".h", ".go", ".mod"}


class Missing(Exception):
    """A tool or library is not installed, or a build failed."""


def cache_dir():
    base = os.environ.get("XDG_CACHE_HOME")
    if not base and os.environ.get("HOME"):
        base = os.path.join(os.environ["HOME"], ".cache")
    if not base:
        base = f"/tmp/wend-{os.getuid()}"
    path = pathlib.Path(base) / "wend-bench"
    path.mkdir(parents=True, exist_ok=True)
    return path


def need(command, what):
    # Servers are not on everybody's PATH.
    where = os.environ.get("PATH", os.defpath) + ":/usr/local/sbin:/usr/sbin"
    path = shutil.which(command, path=where)
    if not path:
        raise Missing(f"{what} is missing: `{SETUP}` installs it")
    return path


def call(command, env=None, cwd=None):
    done = subprocess.run(command, env=env, cwd=cwd, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode:
        lines = done.stdout.strip().splitlines()
        errors = [x for x in lines if "error" in x.lower()] or lines[-1:]
        first = errors[0].strip() if errors else "no output"
        raise Missing(f"`{os.path.basename(command[0])}` failed: {first}")
    return done.stdout


def sources(*folders):
    return sorted(p for f in folders for p in (BENCH / f).iterdir()
                  if p.suffix in SOURCES)


def cached(name, files, version, make):
    """The program for these sources; make(path) builds it if it is new."""
    digest = hashlib.sha256(version.encode())
    for f in files:
        digest.update(f.name.encode() + b"\0" + f.read_bytes())
    path = cache_dir() / f"{name}-{digest.hexdigest()[:16]}"
    if not path.exists():
        fresh = path.with_suffix(f".{os.getpid()}")
        make(fresh)
        fresh.rename(path)
    return str(path)


def compile_c(name, files, inputs, extra=()):
    gcc = need("gcc", "gcc")
    command = [gcc, "-std=gnu11", *CFLAGS, *map(str, inputs)]
    return cached(name, files, call([gcc, "--version"]) + repr(command),
                  lambda out: call([*command, "-o", str(out), *extra]))


def tool(name):
    """launch or loadgen: one C file each."""
    source = BENCH / f"{name}.c"
    return compile_c(name, [source], [source])


def peer_c(name):
    files = sources(name, "common")
    inputs = [f for f in files if f.suffix == ".c"]
    return compile_c(name, files + SYSCALLS, inputs, ["-lpthread"])


def peer_pthread():
    return peer_c("pthread")


def peer_epoll():
    return peer_c("epoll")


def peer_boost():
    gxx, gcc = need("g++", "g++"), need("gcc", "gcc")
    files = sources("boost", "common")
    # -z now: looking a function up on its first call takes more stack than
    # the benches' fibers have.
    libs = ["-Wl,-z,now", "-lboost_fiber", "-lboost_context", "-lpthread"]

    def make(out):
        probe = subprocess.run(
            [gxx, "-x", "c++", "-E", "-"], text=True, capture_output=True,
            input="#include <boost/fiber/all.hpp>\n")
        if probe.returncode:
            raise Missing(f"Boost.Fiber is missing: `{SETUP}` installs it")
        common = f"{out}.o"
        call([gcc, "-std=gnu11", *CFLAGS, "-c",
              str(BENCH / "common/bench.c"), "-o", common])
        call([gxx, "-std=c++17", *CFLAGS, common,
              *(str(f) for f in files if f.suffix == ".cc"),
              "-o", str(out), *libs])
        os.remove(common)

    return cached("boost", files, call([gxx, "--version"]) + repr(libs), make)


def peer_go():
    go = need("go", "Go")
    folder = BENCH / "go"
    env = dict(os.environ, GOFLAGS="-mod=mod", GOPROXY="off",
               GO111MODULE="on", GOTOOLCHAIN="local", GOWORK="off",
               CGO_ENABLED="1", CC=need("gcc", "gcc"))
    if "HOME" not in env and "GOCACHE" not in env:
        env["GOCACHE"] = str(cache_dir() / "go-build")
    return cached("go", sources("go", "common") + SYSCALLS, call([go, "version"], env),
                  lambda out: call([go, "build", "-buildvcs=false",
                                    "-o", str(out), "."], env, folder))


def bazel(targets):
    command = need("bazel", "Bazel")
    call([command, "build", "-c", "opt", *targets], cwd=ROOT)
    lines = call([command, "info", "-c", "opt", "bazel-bin"], cwd=ROOT)
    return pathlib.Path(lines.strip().splitlines()[-1])


def wend():
    return str(bazel(["//bench/..."]) / "bench/wend_bench")


def httpd():
    """examples/httpd: wend's side of bench http."""
    return str(bazel(["//examples:httpd"]) / "examples/httpd")


def kv():
    """examples/kv: wend's side of bench kv."""
    return str(bazel(["//examples/kv"]) / "examples/kv/kv")


def peer_redis():
    return need("redis-server", "redis-server")


def peer_nginx():
    return need("nginx", "nginx")


PEER = {"go": peer_go, "boost": peer_boost, "pthread": peer_pthread,
        "epoll": peer_epoll, "redis": peer_redis, "nginx": peer_nginx}


def versions():
    """One line on what is compared."""
    parts = []
    for command in (["go", "version"], ["g++", "--version"]):
        if shutil.which(command[0]):
            parts.append(call(command).splitlines()[0])
    header = pathlib.Path("/usr/include/boost/version.hpp")
    if header.exists():
        for line in header.read_text().splitlines():
            if line.startswith("#define BOOST_LIB_VERSION"):
                parts.append("Boost " + line.split('"')[1].replace("_", "."))
    return "; ".join(parts)
