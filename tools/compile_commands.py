#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Write compile_commands.json for clangd and clang-tidy, from `bazel aquery`.

usage: tools/compile_commands.py [bazel build flags ...]

Needs no network.  Where headers are generated, run `bazel build //...` with
the same flags first.
"""
import json
import os
import subprocess
import sys

# -MD -MF: nobody wants the dependency files; clangd does not know the last one.
DROPPED = {"-MD", "-fno-canonical-system-headers"}


def bazel(*args):
    return subprocess.run(("bazel",) + args, check=True, text=True,
                          stdout=subprocess.PIPE).stdout


def entry(root, arguments):
    """The entry of one compiler call, or None for what is not our source."""
    kept, source = [], None
    words = iter(arguments)
    for word in words:
        if word == "-MF":
            next(words)
        elif word == "-c":
            source = next(words)
            kept += [word, source]
        elif word not in DROPPED and not word.startswith("-frandom-seed"):
            kept.append(word)
    if source is None or source.startswith(("external/", "bazel-out/")):
        return None
    return {"directory": root, "file": source, "arguments": kept}


def main():
    root = bazel("info", "workspace").strip()
    os.chdir(root)
    actions = json.loads(bazel(
        "aquery", "--output=jsonproto", "--include_artifacts=false",
        "--noshow_progress", *sys.argv[1:],
        'mnemonic("CppCompile", //...)')).get("actions", [])
    entries = {}
    for action in actions:
        found = entry(root, action["arguments"])
        if found:
            # The first wins: with -c opt there is a second one for PIC.
            entries.setdefault(found["file"], found)
    with open("compile_commands.json", "w", encoding="utf-8") as f:
        json.dump(list(entries.values()), f, indent=1)
    print("compile_commands.json: %d entries" % len(entries))


main()
