# SPDX-License-Identifier: Apache-2.0
"""Medians, the table, the JSON."""

import json
import statistics

from harness import spec


class Results:
    """All values, by (bench, procs, metric) and peer, in order of arrival."""

    def __init__(self):
        self.cells = {}
        self.units = {}

    def add(self, bench, procs, peer, metrics):
        for metric, value, unit in metrics:
            key = (bench, procs, metric)
            self.units[key] = unit
            self.cells.setdefault(key, {}).setdefault(peer, []).append(value)

    def median(self, key, peer):
        values = self.cells[key].get(peer)
        return statistics.median(values) if values else None

    def ratio(self, key, peer, base):
        """peer / base of the medians, or None."""
        a, b = self.median(key, peer), self.median(key, base)
        return a / b if a is not None and b else None

    def best_peer(self, key):
        peers = [p for p in self.cells[key] if p != spec.WEND]
        pick = max if spec.more_is_better(self.units[key]) else min
        return pick(peers, key=lambda p: self.median(key, p), default=None)

    def keys(self, bench, procs):
        return [k for k in self.cells if k[:2] == (bench, procs)]

    def rows(self):
        for key, by_peer in self.cells.items():
            bench, procs, metric = key
            for peer, values in by_peer.items():
                yield {"bench": bench, "procs": procs, "peer": peer,
                       "metric": metric, "unit": self.units[key],
                       "median": statistics.median(values),
                       "min": min(values), "max": max(values),
                       "runs": len(values)}

    def write_json(self, path):
        lines = ",\n".join(" " + json.dumps(row) for row in self.rows())
        with open(path, "w") as f:
            f.write("[\n" + lines + "\n]\n" if lines else "[]\n")


def number(v):
    """Three or four significant digits, no exponent."""
    if abs(v) >= 1000:
        return f"{v:,.0f}"
    if abs(v) >= 100:
        return f"{v:.0f}"
    if abs(v) >= 10:
        return f"{v:.1f}"
    return f"{v:.2f}"


def cell(values):
    """`median ±spread`: half of max - min, in percent of the median."""
    if not values:
        return "-"
    middle = statistics.median(values)
    if not middle:
        return number(middle)
    spread = (max(values) - min(values)) / 2 / abs(middle) * 100
    return f"{number(middle)} ±{spread:.0f}%"


class Table:
    """Printed row by row, as the benches end."""

    def __init__(self, peers):
        self.peers = peers
        self.ratios = [p for p in ("go",) if p in peers]

    def line(self, left, cells, ratios):
        bench, procs, metric, unit = left
        text = f"{bench:<12} {procs:>2} {metric:<14} {unit:<5}"
        text += "".join(f" {c:>15}" for c in cells)
        return (text + "".join(f" {r:>7}" for r in ratios)).rstrip()

    def header(self):
        ratios = []
        if spec.WEND in self.peers:
            ratios = ["/" + p for p in self.ratios]
            if len(self.peers) > 1:
                ratios.append("/best")
        return self.line(("bench", "P", "metric", "unit"), self.peers, ratios)

    def rows(self, results, bench, procs):
        for key in results.keys(bench, procs):
            if not spec.shown(bench, key[2]):
                continue
            by_peer = results.cells[key]
            ratios = []
            if spec.WEND in by_peer:
                bases = [*self.ratios, results.best_peer(key)]
                found = [results.ratio(key, spec.WEND, b) if b else None
                         for b in bases]
                ratios = ["-" if r is None else number(r) for r in found]
            yield self.line((bench, procs, key[2], results.units[key]),
                            [cell(by_peer.get(p)) for p in self.peers],
                            ratios)
