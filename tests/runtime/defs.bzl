# SPDX-License-Identifier: Apache-2.0
"""Tests of the runtime, on each port."""

load("@rules_cc//cc:defs.bzl", "cc_test")

_DEPS = [
    "//:wend",
    "//runtime/include",
    "//tests/support",
    "//third_party/googletest:gtest",
]

def runtime_test(name, srcs = [], sim = True, size = "medium", tags = [], **kwargs):
    """NAME runs NAME.cc on the emulation port, NAME_sim on the sim port.

    Args:
      name: of the test, and of its source file
      srcs: more sources
      sim: whether there is something to see under the sim port
      size: as for cc_test
      tags: as for cc_test
      **kwargs: for both
    """
    deps = _DEPS + kwargs.pop("deps", [])
    ports = [("", "emul")] + ([("_sim", "sim")] if sim else [])

    # "sim" for filters: one thread, so nothing for ThreadSanitizer to see.
    for suffix, port in ports:
        cc_test(
            name = name + suffix,
            size = size,
            srcs = [name + ".cc"] + srcs,
            env = {"WEND_PORT": port},
            tags = tags + (["sim"] if suffix else []),
            deps = deps,
            **kwargs
        )
