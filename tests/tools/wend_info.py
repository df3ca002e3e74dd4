#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What `wend info --json` says, against what the system says itself.

usage: wend_info.py PROGRAM
"""
import json
import os
import resource
import subprocess
import sys

PROBES = ("read", "mutex", "read_bare", "futex_bare", "page_fault", "compute")

program = sys.argv[1]


def stops_tasks():
    """ThreadSanitizer holds the signal back by which a loop is stopped."""
    with open(program, "rb") as f:
        return b"__tsan_init" not in f.read()


def info(status=0, before=None, **more):
    """Run it with just these WEND_* variables; before() in the child."""
    env = {
        k: v for k, v in os.environb.items() if not k.startswith(b"WEND_")
    }
    env.update(
        (k.encode(), v if isinstance(v, bytes) else v.encode())
        for k, v in more.items()
    )
    ran = subprocess.run(
        [program, "info", "--json"],
        env=env,
        preexec_fn=before,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        timeout=60,
    )
    equal("status", ran.returncode, status)
    equal("stderr", ran.stderr, b"")
    return json.loads(ran.stdout.decode("ascii"))


def equal(what, got, want):
    if got != want:
        sys.exit("%s: got %r; wanted %r" % (what, got, want))


def holds(what, condition):
    if not condition:
        sys.exit("does not hold: " + what)


def read_number(path):
    with open(path) as f:
        return int(f.read())


def check_system(said):
    with open("runtime/VERSION") as f:
        equal("version", said["system"]["version"], f.read().strip())
    equal("kernel", said["system"]["kernel"], os.uname().release)
    equal(
        "port",
        said["system"]["port"],
        "kernel" if os.path.exists("/dev/umcg") else "emul",
    )
    holds("a way to park", said["system"]["park"] in
          ("threads", "epoll", "uring"))


def check_servers(said):
    servers = said["servers"]
    cpus = len(os.sched_getaffinity(0))
    quota = servers["quota_cpus"] or cpus
    equal("affinity mask", servers["mask_cpus"], cpus)
    equal("servers", servers["count"], min(cpus, quota))


def check_detection(said):
    """Each way was measured, or it is said why there is no number. Where the
    runtime watches, it notices each; where not, what is announced alone."""
    watched = said["system"]["watchers"] is not None
    detection = said["detection"]
    for name in PROBES:
        ns, note = detection[name + "_ns"], detection[name + "_ns_note"]
        print("  %-11s %s (%s)" % (name, ns, note))
        if ns is None:
            holds(name + " says why", note.startswith(
                ("not detected within 200 ms", "cannot be measured here: ")))
            holds(name + " is noticed",
                  not watched or note.startswith("cannot") or
                  (name == "compute" and not stops_tasks()))
        else:
            holds("%s: 0 < %d < 200 ms" % (name, ns), 0 < ns < 200000000)
    # The C library's calls announce themselves, on every machine.
    holds("read() is noticed", detection["read_ns"] is not None)


def check_limits(said):
    limits = said["limits"]
    for key, which in (
        ("user_threads", resource.RLIMIT_NPROC),
        ("descriptors", resource.RLIMIT_NOFILE),
        ("address_space", resource.RLIMIT_AS),
        ("locked_memory", resource.RLIMIT_MEMLOCK),
        ("main_stack", resource.RLIMIT_STACK),
    ):
        soft = resource.getrlimit(which)[0]
        equal(key, limits[key],
              None if soft == resource.RLIM_INFINITY else soft)
    for key, path in (
        ("pid_max", "/proc/sys/kernel/pid_max"),
        ("threads_max", "/proc/sys/kernel/threads-max"),
        ("maps", "/proc/sys/vm/max_map_count"),
    ):
        equal(key, limits[key], read_number(path))


def check_choices():
    """What can be set is seen to have been set, and why."""
    one = sorted(os.sched_getaffinity(0))[0]
    said = info(before=lambda: os.sched_setaffinity(0, {one}))
    equal("servers on one CPU", said["servers"]["count"], 1)

    said = info(WEND_PROCS="3", WEND_STACK="1M")
    equal("servers", said["servers"]["count"], 3)
    holds("why three", "WEND_PROCS" in said["servers"]["count_note"])
    equal("stack", said["stacks"]["size"], 1 << 20)
    equal("environment", said["environment"], {
        "WEND_PROCS": "3", "WEND_PROCS_note": "ok",
        "WEND_STACK": "1M", "WEND_STACK_note": "ok",
    })

    said = info(before=lambda: resource.setrlimit(
        resource.RLIMIT_NOFILE,
        (64, resource.getrlimit(resource.RLIMIT_NOFILE)[1])))
    equal("descriptors", said["limits"]["descriptors"], 64)

    said = info(WEND_WATCH="0")
    equal("watchers", said["system"]["watchers"], None)
    check_detection(said)
    equal("a loop is not noticed", said["detection"]["compute_ns"], None)

    said = info(WEND_SLICE="2ms")
    holds("a slice, or nothing to end one",
          said["system"].get("slice_ns", 2000000) == 2000000)

    said = info(WEND_PORT="sim")
    equal("port", said["system"]["port"], "sim")
    holds("no time is measured that is not real", "detection" not in said)


def check_bad_values():
    said = info(status=1, WEND_PROCS="0", WEND_STACK="2M", WEND_PROC="4")
    env = said["environment"]
    equal("port", said["system"]["port"], None)
    holds("why", "WEND_PROCS=0" in said["system"]["port_note"])
    holds("no measurement", "detection" not in said)
    holds("bad", env["WEND_PROCS_note"].startswith("bad: want a whole number"))
    equal("good beside it", env["WEND_STACK_note"], "ok")
    holds("unknown", env["WEND_PROC_note"].startswith("unknown"))

    said = info(status=1, WEND_PORT='"\\\n\x01\x7f: ')
    equal("any text", said["environment"]["WEND_PORT"], '"\\\n\x01\x7f: ')
    said = info(WEND_NOISE=b"\xff\xfe")
    equal("any bytes", said["environment"]["WEND_NOISE"], "\xff\xfe")
    said = info(status=1, WEND_PROCS="9" * 5000)
    holds("long", said["environment"]["WEND_PROCS"].startswith("999"))


said = info()
equal("no variable", said["environment"], {
    "none": None, "none_note": "no variable is set",
})
check_system(said)
check_servers(said)
check_detection(said)
check_limits(said)
check_choices()
check_bad_values()
