# SPDX-License-Identifier: Apache-2.0
"""The bar chart: each metric's ratio to Go, on a logarithmic axis.

One group of bars per bench, number of processors and metric.  Rates are
turned over (Go's by the peer's), so that shorter is better everywhere.
"""

import math
from xml.sax.saxutils import escape

from harness import report, spec

COLOURS = {"wend": "#d1495b", "go": "#00798c", "boost": "#edae49",
           "pthread": "#8d96a3", "epoll": "#5f4b8b"}
BAR, GAP, HEAD_GAP = 11, 9, 14
LEFT, WIDTH, RIGHT, TOP = 210, 620, 120, 74


def ratio(results, key, peer, base):
    r = results.ratio(key, peer, base)
    if r and spec.more_is_better(results.units[key]):
        return 1 / r
    return r


def groups(results, peers, base):
    """(key, [(peer, ratio)]) for every metric that the base has, too."""
    found = []
    for key in results.cells:
        if not spec.shown(key[0], key[2]):
            continue
        bars = [(p, ratio(results, key, p, base)) for p in peers]
        # A loss may be 0, or by chance below.
        bars = [(p, r) for p, r in bars if r and r > 0]
        if len(bars) > 1 and any(p == base for p, _ in bars):
            found.append((key, bars))
    return found


class Axis:
    def __init__(self, values):
        self.low = math.floor(math.log10(min(values + [0.5])))
        self.high = math.ceil(math.log10(max(values + [2.0])))

    def x(self, value):
        part = (math.log10(value) - self.low) / (self.high - self.low)
        return LEFT + part * WIDTH

    def ticks(self):
        for decade in range(self.low, self.high):
            for step in (1, 2, 5):
                yield step * 10.0 ** decade, step == 1
        yield 10.0 ** self.high, True


def text(x, y, content, size=11, anchor="start", extra=""):
    return (f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" '
            f'text-anchor="{anchor}" {extra}>{escape(content)}</text>')


def grid(axis, bottom):
    out = []
    for value, major in axis.ticks():
        x = axis.x(value)
        colour = "#999" if major else "#e4e4e4"
        out.append(f'<line x1="{x:.1f}" y1="{TOP}" x2="{x:.1f}" '
                   f'y2="{bottom}" stroke="{colour}" stroke-width="0.6"/>')
        label = f"{value:g}"
        out.append(text(x, TOP - 6, label, 10, "middle", 'fill="#555"'))
        out.append(text(x, bottom + 14, label, 10, "middle", 'fill="#555"'))
    x = axis.x(1)
    out.append(f'<line x1="{x:.1f}" y1="{TOP}" x2="{x:.1f}" y2="{bottom}" '
               'stroke="#222" stroke-width="1.6"/>')
    return out


def legend(peers):
    out, x = [], LEFT
    for peer in peers:
        out.append(f'<rect x="{x}" y="38" width="12" height="12" '
                   f'fill="{COLOURS[peer]}"/>')
        out.append(text(x + 17, 48, peer, 12))
        x += 40 + 8 * len(peer)
    return out


def bar(axis, y, peer, r, note):
    # From 1, the base: to the left is better, to the right worse.
    a, b = sorted((axis.x(1), axis.x(r)))
    width = max(b - a, 1.5)
    shape = (f'<rect x="{a:.1f}" y="{y}" width="{width:.1f}" '
             f'height="{BAR - 1}" fill="{COLOURS[peer]}"/>')
    return [shape, text(max(b, axis.x(1)) + 4, y + BAR - 2.5, note, 9)]


def write(path, results, peers, about):
    base = "go" if "go" in peers else peers[0]
    found = groups(results, peers, base)
    axis = Axis([r for _, bars in found for _, r in bars])
    body, y, last = [], TOP + 6, None
    for key, bars in found:
        bench, procs, metric = key
        if last is not None and last != (bench, procs):
            y += HEAD_GAP
        last = (bench, procs)
        middle = y + len(bars) * BAR / 2 + 4
        unit = results.units[key]
        flag = "inverse of " if spec.more_is_better(unit) else ""
        body.append(text(LEFT - 8, middle, f"{bench} ({procs} CPU) "
                         f"{flag}{metric}", 11, "end"))
        for peer, r in bars:
            note = f"{report.number(results.median(key, peer))} {unit}"
            note += "" if peer == base else f" · {r:.2f}x"
            body += bar(axis, y, peer, r, note)
            y += BAR
        y += GAP
    total = LEFT + WIDTH + RIGHT
    head = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{total}" '
            f'height="{y + 46}" viewBox="0 0 {total} {y + 46}" '
            'font-family="sans-serif">',
            f'<rect width="{total}" height="{y + 46}" fill="white"/>',
            text(LEFT, 22, f"Medians as ratio to {base}: left of 1 is better",
                 15, extra='font-weight="bold"')]
    foot = [text(LEFT, y + 36, about, 10, extra='fill="#555"'), "</svg>\n"]
    with open(path, "w") as f:
        f.write("\n".join(head + legend(peers) + grid(axis, y) + body + foot))
