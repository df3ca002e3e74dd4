#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Count single test cases of a `bazel test --build_event_json_file=F` run.

usage: test_summary.py [--name N] [--tally T] [--status S] F
       test_summary.py --total T

Prints skipped and failed cases and, as its last line, "N passed, N failed"
(", N skipped"), behind "NAME: " if there is one.  What did not build, or did
not run, counts as one failure, and so does a bazel that failed (--status) with
nothing to show for it.  --tally appends the three numbers to T; --total sums
up such a file.  Exit status 1 when anything failed or nothing ran.
"""
import argparse
import json
import sys
import urllib.parse
import xml.etree.ElementTree as ET


class Count:
    def __init__(self):
        self.passed = self.failed = self.skipped = 0

    def fail(self, what):
        print("FAILED " + what)
        self.failed += 1

    def report(self, name):
        if not self.passed and not self.failed:
            self.fail("no test ran")
        line = "%d passed, %d failed" % (self.passed, self.failed)
        if self.skipped:
            line += ", %d skipped" % self.skipped
        print((name + ": " if name else "") + line, flush=True)
        return 1 if self.failed else 0


class Events:
    """What of the event file says which targets there are and how each went."""

    def __init__(self, path):
        self.kind, self.tags, self.done, self.results = {}, {}, {}, {}
        self.wanted, self.unwanted = set(), set()
        with open(path, encoding="utf-8") as f:
            for line in f:
                self.add(json.loads(line))

    def add(self, event):
        at = event["id"]
        if "optionsParsed" in at:
            self.add_options(event["optionsParsed"].get("cmdLine", []))
        elif "targetConfigured" in at:
            label = at["targetConfigured"]["label"]
            configured = event.get("configured", {})
            self.kind[label] = configured.get("targetKind", "")
            self.tags[label] = set(configured.get("tag", []))
        elif "targetCompleted" in at:
            done = bool(event.get("completed", {}).get("success"))
            self.done[at["targetCompleted"]["label"]] = done
        elif "testResult" in at and "testResult" in event:
            at = at["testResult"]
            key = at["label"], at.get("run", 1), at.get("shard", 1)
            self.results[key] = event["testResult"]  # the last attempt wins

    def add_options(self, options):
        for option in options:
            name, _, value = option.partition("=")
            if name == "--test_tag_filters" and value:
                tags = value.split(",")
                self.unwanted = {t[1:] for t in tags if t[0] == "-"}
                self.wanted = {t for t in tags if t[0] != "-"}

    def filtered(self, label):
        tags = self.tags[label]
        return bool(tags & self.unwanted or
                    self.wanted and not tags & self.wanted)


def cases_of(result):
    for output in result.get("testActionOutput", []):
        if output["name"] == "test.xml":
            path = urllib.parse.urlparse(output.get("uri", "")).path
            try:
                root = ET.parse(urllib.parse.unquote(path))
            except (OSError, ET.ParseError):
                return []
            return list(root.iter("testcase"))
    return []


def count_result(count, name, result):
    failed_before = count.failed
    for case in cases_of(result):
        words = case.get("classname"), case.get("name")
        what = "%s: %s" % (name, ".".join(w for w in words if w))
        skipped = case.find("skipped")
        if case.find("failure") is not None or case.find("error") is not None:
            count.fail(what)
        elif skipped is not None:
            why = (skipped.get("message") or skipped.text or "").strip()
            # GoogleTest puts file and line before the reason.
            print("skipped %s: %s" % (what, " ".join(why.split())))
            count.skipped += 1
        elif case.get("status") == "notrun":
            print("skipped %s: disabled" % what)
            count.skipped += 1
        else:
            count.passed += 1
    good = result["status"] in ("PASSED", "FLAKY")
    if not good and count.failed == failed_before:
        count.fail("%s: %s outside any test case" % (name, result["status"]))


def count_run(events):
    count = Count()
    ran = {key[0] for key in events.results}
    for label in sorted(events.kind):
        if events.kind[label].endswith("_test rule"):
            if label not in ran and not events.filtered(label):
                count.fail(label + ": did not build or did not run")
        elif not events.done.get(label):
            count.fail(label + ": did not build")
    for (label, run, shard), result in sorted(events.results.items()):
        sharded = shard > 1 or (label, run, 2) in events.results
        name = "%s (shard %d)" % (label, shard) if sharded else label
        count_result(count, name, result)
    return count


def total(path):
    count = Count()
    with open(path, encoding="utf-8") as f:
        for line in f:
            passed, failed, skipped = map(int, line.split())
            count.passed += passed
            count.failed += failed
            count.skipped += skipped
    return count.report("")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--name", default="")
    parser.add_argument("--tally", default="")
    parser.add_argument("--status", type=int, default=0)
    parser.add_argument("--total")
    parser.add_argument("events", nargs="?")
    args = parser.parse_args()
    if args.total:
        return total(args.total)

    count = count_run(Events(args.events))
    if args.status and not count.failed:
        count.fail("bazel ended with status %d" % args.status)
    result = count.report(args.name)
    if args.tally:
        with open(args.tally, "a", encoding="utf-8") as f:
            print(count.passed, count.failed, count.skipped, file=f)
    return result


sys.exit(main())
