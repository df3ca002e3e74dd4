# SPDX-License-Identifier: Apache-2.0
"""What there is to run: the benches, the peers, the limits."""

WEND = "wend"
PEERS = ("go", "boost", "pthread", "epoll", "redis", "nginx")

# name -> what it does, for --list; docs/BENCH.md has more.
BENCHES = {
    "yield": "2 tasks yield to each other",
    "yield1k": "1,000 tasks yield in turn",
    "spawn": "spawn, run and join tasks in batches of 1,000",
    "chan_pp": "round trip over two unbuffered channels",
    "chan_buf": "one sender, one receiver, capacity 128",
    "chan_mpmc": "8 senders, 8 receivers, one channel of capacity 128",
    "select4": "a select over 4 unbuffered channels with a sender each",
    "mutex8": "8 tasks lock, count, unlock",
    "fib": "fib(27), both halves of each call are tasks",
    "skynet": "a tree of 1,111,111 tasks, sums over channels",
    "sieve": "the first 2,000 primes by a chain of filter tasks",
    "timers": "100,000 tasks sleep 1 to 100 ms",
    "live": "100,000 parked tasks",
    "block_call": "100 tasks call a function that blocks for 100 ms",
    "block_notice": "a task blocks, unannounced; until the next ready one runs",
    "preempt": "a task loops for ever; until the next ready one runs",
    "block_pipe": "1,000 tasks in raw read(), 4 that compute: what they lose",
    "announced": "a write() that does not block, against the bare call",
    "idle": "10,000 tasks that wait: the process's CPU time",
    "echo": "TCP echo, 1, 100 and 1,000 busy connections, 10,000 idle ones",
    "kv": "SET and GET, 50 connections (redis-benchmark)",
    "http": "hello over HTTP/1.1 keep-alive, 64 and 1,000 connections (wrk)",
}

# Benches that mean something with these numbers of processors only.
PROCS = {
    "block_call": (2,),
    "block_notice": (1,),
    "preempt": (1,),
    "block_pipe": (2,),
    "announced": (1,),
    "idle": (2,),
}

# A peer that is for these benches only.
MADE_FOR = {"epoll": ("echo",), "redis": ("kv",), "nginx": ("http",)}
# A bench that only these peers have.
ONLY_OF = {"kv": ("redis",)}

# Run once more with these variables, wend alone: suffix of the metrics.
AGAIN = {"preempt": ("_1ms", {"WEND_SLICE": "1ms"})}

# Connections, and messages a second in all; 0: as many as there can be.
ECHO_LOADS = ((1, 0), (100, 0), (1000, 0), (10_000, 5000))
HTTP_CONNS = (64, 1000)
KV_CONNS = 50
# Requests of one connection under way, and how many requests in all.
KV_LOADS = ((1, 200_000), (16, 1_600_000))
KV_LOADS_QUICK = ((1, 50_000), (16, 400_000))

TIMEOUT_S = 60        # one run of one program
SLOW_S = 10           # a run that took this long is not repeated
MEMORY_SHARE = 0.8    # of what is available: a program above it is ended
IMPOSSIBLE = 64       # exit code: this peer cannot do that

RUNS = 5
RUNS_QUICK = 3

# The load generator's CPU use, in percent, from which on it is the limit.
LOAD_LIMIT = 97

# Peak memory is recorded for every bench and shown where it is the point.
SHOW_PEAK = ("skynet",)


def more_is_better(unit):
    return unit.endswith("/s")


def shown(bench, metric):
    if metric.startswith("load_"):
        return False
    return not metric.startswith("peak_rss") or bench in SHOW_PEAK
