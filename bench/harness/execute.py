# SPDX-License-Identifier: Apache-2.0
"""Running one program: pinned, with a time-out and a limit on its memory.

The limit is on resident memory, watched from outside: a limit on address
space would end runtimes that reserve much and touch little.
"""

import os
import re
import select
import signal
import socket
import subprocess
import tempfile
import time

from harness import spec

PAGE = os.sysconf("SC_PAGESIZE")
POLL_S = 0.1
STOP_S = 5
PORT = re.compile(rb"(?:port |127\.0\.0\.1:)(\d+)")
REDIS_READY = re.compile(rb"Ready to accept connections")
# loadgen's metrics that are kept of kv, and their names there.
KV_LIGHT = {"req": "set_light", "p99": "set_light_p99",
            "cpu": "set_light_cpu", "load": "load_light"}


class Impossible(Exception):
    """The peer cannot do this bench; str() says why."""


class Died(Exception):
    """It crashed, hung, used too much memory or was wrong."""


def memory_limit():
    with open("/proc/meminfo") as f:
        for line in f:
            if line.startswith("MemAvailable"):
                return int(line.split()[1]) * 1024 * spec.MEMORY_SHARE
    return float("inf")


def children(pid):
    with open(f"/proc/{pid}/task/{pid}/children") as f:
        return [int(n) for n in f.read().split()]


def cpu_ns(pid):
    """CPU time of another process and of its children that run, by their
    clocks (clock_getcpuclockid)."""
    return sum(time.clock_gettime_ns((~p << 3) | 2)
               for p in [pid, *children(pid)])


def metrics_of(text):
    """The lines `metric value unit`."""
    found = []
    for line in text.splitlines():
        words = line.split()
        if len(words) == 3 and words[0] != "note":
            try:
                found.append((words[0], float(words[1]), words[2]))
            except ValueError:
                raise Died(f"cannot read its line {line!r}") from None
    return found


def notes_of(text):
    """What the program says of results that it does not have."""
    return [line[5:] for line in text.splitlines() if line.startswith("note ")]


class Program:
    """A program under bench/launch; use as a context: it never outlives it."""

    def __init__(self, launcher, cpus, command, env=None):
        self.report, other = os.pipe()
        self.errors = tempfile.TemporaryFile()
        self.pid = None
        self.end = None
        self.buffer = b""
        self.output = b""
        self.limit = memory_limit()
        self.started = time.monotonic()
        cpu_list = ",".join(map(str, cpus))
        self.process = subprocess.Popen(
            [launcher, str(other), cpu_list, *command], env=env,
            pass_fds=(other,), stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=self.errors)
        os.close(other)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.end is None:
            self.kill(signal.SIGKILL)
            self.process.kill()     # takes the program along (PDEATHSIG)
        self.process.wait()
        self.process.stdout.close()
        self.errors.close()
        os.close(self.report)

    def seconds(self):
        return time.monotonic() - self.started

    def kill(self, sig):
        # The launcher has not reported its end, so the number is still its.
        if self.pid and self.end is None:
            os.kill(self.pid, sig)

    def resident(self):
        try:
            with open(f"/proc/{self.pid}/statm") as f:
                return int(f.read().split()[1]) * PAGE
        except (OSError, IndexError):
            return 0

    def step(self):
        """Wait a moment for news; False when the program has ended."""
        wanted = [self.report]
        if self.process.stdout:
            wanted.append(self.process.stdout)
        ready, _, _ = select.select(wanted, [], [], POLL_S)
        if self.process.stdout in ready:
            data = os.read(self.process.stdout.fileno(), 65536)
            self.output += data
            if not data:
                time.sleep(0.01)
        if self.report in ready:
            self.read_report()
        return self.end is None

    def read_report(self):
        data = os.read(self.report, 4096)
        self.buffer += data
        while b"\n" in self.buffer:
            line, self.buffer = self.buffer.split(b"\n", 1)
            words = line.split()
            if words[0] == b"pid":
                self.pid = int(words[1])
            else:
                self.end = [int(w) for w in words[1:]]
        if not data and self.end is None:
            raise Died("the launcher failed: " + self.last_error())

    def guard(self, timeout):
        """Raise if it runs too long or takes too much memory."""
        if self.seconds() > timeout:
            raise Died(f"timed out after {timeout} s")
        if self.resident() > self.limit:
            raise Died(f"used more than {self.limit / 1e9:.1f} GB")

    def wait(self, timeout):
        while self.step():
            self.guard(timeout)
        rest = self.process.stdout.read()
        self.output += rest or b""

    def last_error(self):
        self.errors.seek(0)
        lines = self.errors.read().decode(errors="replace").splitlines()
        return lines[-1].strip() if lines else ""

    def check(self, allowed_signal=None):
        """Raise unless it ended well."""
        status = self.end[0]
        said = self.last_error()
        said = f": {said}" if said else ""
        if os.WIFSIGNALED(status):
            number = os.WTERMSIG(status)
            if number != allowed_signal:
                raise Died(f"{signal.Signals(number).name}{said}")
            return
        code = os.WEXITSTATUS(status)
        if code == spec.IMPOSSIBLE:
            raise Impossible(said[2:] or "not possible for this peer")
        if code and allowed_signal is None:
            raise Died(f"exit code {code}{said}")

    def peak(self):
        return self.end[1] * 1024 / 1e6

    # Servers

    def port(self):
        """Wait until a server says where it listens."""
        return int(self.said(PORT).group(1))

    def said(self, pattern):
        """Wait until a server says this."""
        while True:
            found = pattern.search(self.output)
            # It may listen before the launcher has said which process it is.
            if found and self.pid:
                return found
            if not self.step():
                self.check()
                raise Died("ended before it listened")
            self.guard(spec.TIMEOUT_S)

    def answers(self, port):
        """Wait until a server that says nothing accepts connections."""
        while True:
            if not self.still():
                raise Died("ended before it listened")
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                return
            except ConnectionRefusedError:
                self.step()
            self.guard(spec.TIMEOUT_S)

    def stop(self):
        """End a server politely; it may also have died by itself."""
        if self.end is None and not self.still():
            raise Died("the server ended by itself")
        self.kill(signal.SIGTERM)
        limit = self.seconds() + STOP_S
        while self.step():
            if self.seconds() > limit:
                raise Died(f"did not stop within {STOP_S} s of SIGTERM")
        self.check(signal.SIGTERM)

    def still(self):
        """Whether it runs, without waiting."""
        while select.select([self.report], [], [], 0)[0]:
            self.read_report()
            if self.end is not None:
                self.check()
                return False
        return True


def run_program(launcher, cpus, command, env=None):
    """Run to the end; the metrics, peak memory last, and the notes."""
    with Program(launcher, cpus, command, env) as p:
        p.wait(spec.TIMEOUT_S)
        p.check()
        text = p.output.decode()
        found, notes = metrics_of(text), notes_of(text)
        if not found and notes:
            raise Impossible("; ".join(notes))
        if not found:
            raise Died("it printed no result")
        return found + [("peak_rss", p.peak(), "MB")], notes


def run_client(launcher, cpus, command, server):
    """A load generator; its output, while the server is watched too."""
    with Program(launcher, cpus, command) as p:
        while p.step():
            p.guard(spec.TIMEOUT_S)
            if not server.still():
                raise Died("the server ended by itself")
            server.guard(spec.TIMEOUT_S)
        p.output += p.process.stdout.read() or b""
        if p.end[0]:
            raise Died(p.last_error() or "the load generator failed")
        return p.output.decode()


def run_loadgen(tools, last_cpu, server, port, conns, quick, more):
    """One run of bench/loadgen.c, with more of its options: its metrics."""
    client = [tools["loadgen"], "--port", str(port), "--conns", str(conns),
              "--seconds", "0.3" if quick else "1.2",
              "--warm", "0.1" if quick else "0.3",
              "--pid", str(server.pid), *more]
    text = run_client(tools["launch"], [last_cpu], client, server)
    return metrics_of(text)


def run_echo(tools, cpus, last_cpu, command, conns, rate, quick):
    """One echo server and one load; metrics are named for the load."""
    with Program(tools["launch"], cpus, command) as server:
        found = run_loadgen(tools, last_cpu, server, server.port(), conns,
                            quick, ["--rate", str(rate)])
        server.stop()
        found += [("peak_rss", server.peak(), "MB")]
        return [(f"{m}_{conns}", v, u) for m, v, u in found]


def wrk_time_us(text):
    number, unit = re.fullmatch(r"([\d.]+)(us|ms|s|m)", text).groups()
    return float(number) * {"us": 1, "ms": 1e3, "s": 1e6, "m": 6e7}[unit]


def http_load(tools, last_cpu, server, port, conns, quick):
    wrk = [tools["wrk"], "-t1", f"-c{conns}", "--latency",
           "-d1s" if quick else "-d2s", f"http://127.0.0.1:{port}/hello"]
    used = cpu_ns(server.pid)
    text = run_client(tools["launch"], [last_cpu], wrk, server)
    used = cpu_ns(server.pid) - used
    bad = re.search(r"Socket errors:.*|Non-2xx.*", text)
    if bad:
        raise Died("wrk: " + bad.group(0))
    count = int(re.search(r"(\d+) requests in", text).group(1))
    rate = float(re.search(r"Requests/sec:\s+([\d.]+)", text).group(1))
    late = {p: wrk_time_us(re.search(rf"\s{p}%\s+(\S+)", text).group(1))
            for p in (50, 99)}
    if not count:
        raise Died("wrk got no answer")
    return [(f"req_{conns}", rate, "req/s"),
            (f"req_cpu_{conns}", count / used * 1e9, "req/s"),
            (f"p50_{conns}", late[50], "us"), (f"p99_{conns}", late[99], "us")]


def run_http(tools, cpus, last_cpu, command, port, quick, env=None):
    """One server and wrk, with few connections, then with many."""
    with Program(tools["launch"], cpus, command, env) as server:
        if port:
            server.answers(port)
        else:
            port = server.port()
        found = []
        for conns in spec.HTTP_CONNS:
            found += http_load(tools, last_cpu, server, port, conns, quick)
        server.stop()
        return found + [("peak_rss", server.peak(), "MB")]


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def run_kv(tools, cpus, last_cpu, command, port, quick, env=None):
    """One server and redis-benchmark, first without pipelining, then with;
    and a client that needs less of the last CPU."""
    with Program(tools["launch"], cpus, command, env) as server:
        if port:
            server.said(REDIS_READY)
        else:
            port = server.port()
        found = []
        for depth, count in spec.KV_LOADS_QUICK if quick else spec.KV_LOADS:
            for test in ("set", "get"):
                found += kv_load(tools, last_cpu, server, port, depth, count,
                                 test)
        light = run_loadgen(tools, last_cpu, server, port, spec.KV_CONNS,
                            quick, ["--talk", "set"])
        found += [(KV_LIGHT[m], v, u) for m, v, u in light if m in KV_LIGHT]
        server.stop()
        return found + [("peak_rss", server.peak(), "MB")]


def kv_load(tools, last_cpu, server, port, depth, count, test):
    load = [tools["redis-benchmark"], "-p", str(port), "-t", test,
            "-c", str(spec.KV_CONNS), "-P", str(depth), "-n", str(count),
            "-r", "100000", "--csv"]
    used = cpu_ns(server.pid)
    text = run_client(tools["launch"], [last_cpu], load, server)
    used = cpu_ns(server.pid) - used
    row = [line.replace('"', "").split(",") for line in text.splitlines()
           if line.startswith('"')]
    if len(row) != 2 or "rror" in text:
        raise Died("redis-benchmark: " + text.strip()[:200])
    late = dict(zip(*row))
    name = test if depth == 1 else f"{test}_P{depth}"
    return [(f"{name}", float(late["rps"]), "req/s"),
            (f"{name}_p99", float(late["p99_latency_ms"]) * 1e3, "us"),
            (f"{name}_cpu", used / 1e3 / count, "us")]
