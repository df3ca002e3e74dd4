# SPDX-License-Identifier: Apache-2.0
"""kv_log.py MODE PROGRAM DIR - what the append-only file promises.

crash   kill -9 while clients write, with each fsync policy, and while the log
        is rewritten: what was acknowledged is there afterwards
torn    a last record that is not whole, at every length, is cut off
grow    a log that grows is rewritten by itself, FLUSHALL in between or not
damage  in the middle: refused, and with --repair cut there
full    no room: errors to who writes, reads go on, nothing is lost
sync    fsync fails once: the log is written anew
"""

import ctypes
import fcntl
import os
import resource
import signal
import struct
import subprocess
import sys
import threading
import time

from kv_resp import Client, Error, Gone, encode, same

OK = "OK"
HEAD = 16  # bytes of the file's head, and of a frame's
DEADLINE = 120  # seconds; only a failure gets that far


class Server:
    def __init__(self, program, path, *options, env=None, prepare=None):
        self.errors = open(path + ".stderr", "w+")
        self.p = subprocess.Popen(
            [program, "--port", "0", "--aof", path, *options],
            stdout=subprocess.PIPE, stderr=self.errors, preexec_fn=prepare,
            env=dict(os.environ, **(env or {})))
        line = self.p.stdout.readline()
        self.port = int(line.rsplit(b":", 1)[1]) if line else None

    def client(self):
        return Client(self.port)

    def kill(self):
        self.p.kill()
        self.p.wait()
        self.p.stdout.close()

    def stop(self, status=0):
        self.p.terminate()
        same(self.p.wait(DEADLINE), status, "the server's end: " + self.said())
        self.p.stdout.close()

    def said(self):
        self.errors.seek(0)
        return self.errors.read()


def until(true, what):
    end = time.monotonic() + DEADLINE
    while not true():
        if time.monotonic() > end:
            sys.exit("never: " + what)
        time.sleep(0.02)


def fresh(folder, name):
    path = os.path.join(folder, name)
    for suffix in ("", ".rewrite", ".damaged"):
        if os.path.exists(path + suffix):
            os.remove(path + suffix)
    return path


class Writer(threading.Thread):
    """Counts up, in transactions over two keys, and remembers how far it was
    told that it came."""

    def __init__(self, port, n):
        super().__init__()
        self.c = Client(port)
        self.keys = "w:%d" % n, "v:%d" % n
        self.list = "l:%d" % n
        self.acknowledged = 0

    def run(self):
        try:
            while True:
                i = self.acknowledged + 1
                self.c.send(
                    encode(["MULTI"])
                    + encode(["SET", self.keys[0], i])
                    + encode(["RPUSH", self.list, i])
                    + encode(["SET", self.keys[1], i])
                    + encode(["EXEC"]))
                got = [self.c.receive() for _ in range(5)][4]
                if isinstance(got, Error) or got[1] != i:
                    sys.exit("EXEC: %r" % got)
                self.acknowledged = i
        except (Gone, OSError, EOFError):
            pass

    def check(self, c, all_there):
        a, b = (int(x or 0) for x in c.ask("MGET", *self.keys))
        same(a, b, "half a transaction")
        items = c.ask("LRANGE", self.list, 0, -1)
        same(items, [b"%d" % i for i in range(1, a + 1)], "the list")
        if all_there and a < self.acknowledged:
            sys.exit("%d was acknowledged, %d is there"
                     % (self.acknowledged, a))
        if a > self.acknowledged + 1:
            sys.exit("%d is there, %d was acknowledged"
                     % (a, self.acknowledged))
        return a


def crash(program, folder):
    for policy, rewrite in (("always", 0), ("everysec", 0), ("no", 0),
                            ("always", 1), ("everysec", 1)):
        path = fresh(folder, "crash.aof")
        server = Server(program, path, "--fsync", policy)
        if rewrite:
            filler = server.client()
            for i in range(0, 30000, 100):
                filler.ask("MSET", *(x for j in range(i, i + 100)
                                     for x in ("f:%d" % j, "y" * 100)))
        writers = [Writer(server.port, n) for n in range(8)]
        for w in writers:
            w.start()
        until(lambda: all(w.acknowledged >= 20 for w in writers), "writes")
        if rewrite:
            c = server.client()
            done = rewrites(c)
            for _ in range(3):
                c.ask("BGREWRITEAOF")
                until(lambda: rewrites(c) > done, "a rewrite")
                done = rewrites(c)
            c.ask("BGREWRITEAOF")  # killed somewhere in it
        if policy != "always":
            # What is older than these policies' delay must be there.
            time.sleep(1.5)
            old = [w.acknowledged for w in writers]
            until(lambda: all(w.acknowledged > o + 5
                              for w, o in zip(writers, old)), "writes")
            time.sleep(1.5)
        server.kill()
        for w in writers:
            w.join()
        server = Server(program, path, "--fsync", policy)
        c = server.client()
        if rewrite:
            same(len(c.ask("KEYS", "f:*")), 30000, "keys from before")
        there = [w.check(c, policy == "always") for w in writers]
        if policy != "always":
            for a, o in zip(there, old):
                if a < o:
                    sys.exit("%d is there, %d was safe" % (a, o))
        print("%s%s: %d acknowledged, %d there" % (
            policy, ", rewritten" if rewrite else "",
            sum(w.acknowledged for w in writers), sum(there)), flush=True)
        server.stop()


def rewrites(c):
    return info(c, "aof_rewrites")


def info(c, name):
    text = c.ask("INFO", "persistence").decode()
    value = [x for x in text.split("\r\n") if x.startswith(name + ":")][0]
    value = value.split(":", 1)[1]
    return int(value) if value.isdigit() else value


def contents(c):
    """All keys, whatever their order."""
    out = {}
    for key in c.ask("KEYS", "*"):
        read = {"string": ("GET", key), "list": ("LRANGE", key, 0, -1),
                "hash": ("HGETALL", key), "set": ("SMEMBERS", key)}
        out[key] = c.ask(*read[c.ask("TYPE", key)]), c.ask("TTL", key) < 0
    return out


def fill(c):
    c.ask("SET", "s", b"\0\r\n")
    c.ask("SET", "e", "x", "EX", 1000)
    c.ask("APPEND", "e", "y")
    c.ask("RPUSH", "l", *range(200))
    c.ask("LPOP", "l", 3)
    c.ask("HSET", "h", *(x for i in range(100) for x in ("f%d" % i, i)))
    c.ask("HDEL", "h", "f5")
    c.ask("SADD", "set", *range(100))
    c.ask("INCRBY", "n", 5)
    c.ask("DECR", "n")
    c.ask("MSET", "a", 1, "b", 2, "c", 3)
    c.ask("DEL", "a", "c", "none")
    c.ask("SET", "gone", "x", "PX", 1)
    c.ask("GETDEL", "b")
    time.sleep(0.05)
    c.ask("APPEND", "gone", "new")


def reopen(program, path, *options):
    """Everything twice over: as logged, and as rewritten."""
    server = Server(program, path, *options)
    c = server.client()
    want = contents(c)
    c.want("Background append only file rewriting started", "BGREWRITEAOF")
    until(lambda: rewrites(c) == 1, "a rewrite")
    same(contents(c), want, "after a rewrite")
    c.ask("SET", "behind", "x")
    want[b"behind"] = b"x", True
    server.stop()
    server = Server(program, path, *options)
    same(contents(server.client()), want, "what a rewritten log has")
    server.stop()


def held(program, folder):
    """Locked when the server starts, and not for long: by one that was killed.
    Or replaced meanwhile, by one that rewrites it: then the new file is it."""
    path = fresh(folder, "held.aof")
    Server(program, path).stop()
    for replaced in (False, True):
        lock = os.open(path, os.O_RDWR)
        fcntl.flock(lock, fcntl.LOCK_EX)

        def let_go():
            if replaced:
                open(path + ".other", "wb").close()
                os.rename(path + ".other", path)
            os.close(lock)

        timer = threading.Timer(0.3, let_go)
        timer.start()
        server = Server(program, path)
        same(server.port is not None, True, server.said())
        timer.join()
        size = os.path.getsize(path)
        server.client().ask("SET", "held", "1")
        server.stop()
        same(os.path.getsize(path) > size, True, "what is there is the log")


def torn(program, folder):
    path = fresh(folder, "torn.aof")
    server = Server(program, path)
    c = server.client()
    fill(c)
    want = contents(c)
    same(want[b"gone"], (b"new", True), "what had expired")
    # One file, one server.
    other = Server(program, path)
    same(other.p.wait(DEADLINE), 1, "a second server")
    same("in use" in other.said(), True, other.said())
    server.stop()
    held(program, folder)
    whole = open(path, "rb").read()
    server = Server(program, path)
    server.client().ask("SET", "last", "x" * 20)
    server.stop()
    longer = open(path, "rb").read()
    same(longer[:len(whole)], whole, "appended")
    for size in list(range(len(whole) + 1, len(longer))):
        open(path, "wb").write(longer[:size])
        server = Server(program, path)
        same("cut off" in server.said(), True, server.said())
        if size % 8 == 0:
            same(contents(server.client()), want, "without the last record")
        server.stop()
        same(open(path, "rb").read(), whole, "the file")
    # As the disk may leave it when the power goes.
    open(path, "wb").write(whole + bytes(5000))
    server = Server(program, path)
    same(contents(server.client()), want, "with zeros behind")
    server.stop()
    reopen(program, path)
    for head in range(HEAD):
        open(path, "wb").write(longer[:head])
        server = Server(program, path)
        server.client().want(0, "DBSIZE")
        server.stop()
    for text in (b"not a log", b"n" * 1000):
        open(path, "wb").write(text)
        server = Server(program, path)
        same(server.p.wait(DEADLINE), 1, "no log of ours")
        same(open(path, "rb").read(), text, "left alone")


def grow(program, folder):
    path = fresh(folder, "grow.aof")
    options = "--rewrite-min", "20000", "--fsync", "no"
    server = Server(program, path, *options)
    c = server.client()

    def twice():
        for i in range(100):
            c.ask("SET", "k", i)
        return rewrites(c) >= 2

    until(twice, "two rewrites")
    want = contents(c)
    server.stop()
    server = Server(program, path, *options)
    c = server.client()
    same(contents(c), want, "after rewrites")
    reached = 0
    for turn in range(20):
        # All is gone while the rewrite is somewhere in the middle of it.
        c.ask("MSET", *(x for i in range(5000) for x in ("f:%d" % i, turn)))
        c.ask("BGREWRITEAOF")
        time.sleep(turn * 0.0002)
        c.send(encode(["MULTI"]) + encode(["SET", "before", turn])
               + encode(["FLUSHALL"]) + encode(["SET", "after", turn])
               + encode(["EXEC"]) + encode(["INCR", "turns"]))
        for _ in range(6):
            c.receive()
        until(lambda: not info(c, "aof_rewrite_in_progress"), "a rewrite")
        reached += info(c, "aof_rewrites_restarted")
        want = {b"after": (b"%d" % turn, True), b"turns": (b"1", True)}
        same(contents(c), want, "after FLUSHALL")
        until(lambda: info(c, "aof_buffer_length") == 0, "all written")
        server.kill()
        server = Server(program, path, *options)
        c = server.client()
        same(contents(c), want, "in the log after FLUSHALL")
    server.stop()
    print("%d of 20 rewrites began again" % reached)


def damage(program, folder):
    path = fresh(folder, "damage.aof")
    server = Server(program, path)
    c = server.client()
    for i in range(50):
        c.ask("SET", "k:%02d" % i, "v" * 20)
    server.stop()
    good = open(path, "rb").read()
    size = (len(good) - HEAD) // 50
    for at in (HEAD, HEAD + 5, HEAD + 10 * size, HEAD + 10 * size + 4,
               HEAD + 10 * size + 8, HEAD + 20 * size + HEAD + 3,
               HEAD + 21 * size - 1):
        bad = good[:at] + bytes([good[at] ^ 0x10]) + good[at + 1:]
        open(path, "wb").write(bad)
        server = Server(program, path)
        same(server.p.wait(DEADLINE), 1, "a damaged log")
        same("damaged at byte" in server.said(), True, server.said())
        same(open(path, "rb").read(), bad, "left alone")
        server = Server(program, path, "--repair")
        left = server.client().ask("DBSIZE")
        kept = [i for i in range(51) if HEAD + i * size <= at][-1]
        same(left, min(kept, 50), "keys before byte %d" % at)
        server.client().ask("SET", "more", "x")
        server.stop()
        cut = HEAD + left * size
        same(open(path + ".damaged", "rb").read(), bad[cut:], "kept")
        server = Server(program, path)
        same(server.client().ask("DBSIZE"), left + 1, "after the repair")
        server.stop()


def limit_files(pid, size):
    hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)[1]
    soft = hard if size is None else size
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (soft, hard))


def full_with(program, path, policy, fill_up, make_room):
    """fill_up(server) leaves some room; make_room(server) gives more."""
    server = Server(program, path, "--fsync", policy)
    c = server.client()
    fill_up(server)
    acknowledged, i = [], 0
    while True:
        i += 1
        got = c.ask("SET", "k:%d" % i, "x" * 1000)
        if isinstance(got, Error):
            break
        acknowledged.append(i)
        if i > 100000:
            sys.exit("there is always room")
        # The other policies find out later; let them.
        if policy != "always" and i > 20:
            time.sleep(0.001)
    same(got.split()[0] in ("IOERR", "MISCONF"), True, got)
    c.refused("MISCONF", "SET", "no", "x")
    c.want(OK, "MULTI")
    c.want("QUEUED", "SET", "no", "x")
    c.refused("MISCONF", "EXEC")
    for j in acknowledged:
        c.want(b"x" * 1000, "GET", "k:%d" % j)
    c.want(0, "EXISTS", "no")
    same(info(c, "aof_last_write_status") != "ok", True, "INFO")
    if policy == "always":
        # Whatever happens now, all that was acknowledged is on the disk.
        copy, now = path + ".copy", open(path, "rb").read()
        make_room(server)
        open(copy, "wb").write(now)
        other = Server(program, copy)
        for j in acknowledged:
            other.client().want(b"x" * 1000, "GET", "k:%d" % j)
        other.stop()
    else:
        make_room(server)
    until(lambda: c.ask("SET", "again", "x") == OK, "writing again")
    until(lambda: info(c, "aof_buffer_length") == 0, "all written")
    server.kill()
    server = Server(program, path, "--fsync", policy)
    c = server.client()
    for j in acknowledged:
        c.want(b"x" * 1000, "GET", "k:%d" % j)
    c.want(b"x", "GET", "again")
    server.stop()
    print("full, %s: %d acknowledged, all there" % (policy,
                                                    len(acknowledged)))


def full(program, folder):
    for policy in ("always", "everysec", "no"):
        full_with(program, fresh(folder, "full.aof"), policy,
                  lambda s: limit_files(s.p.pid, 100000),
                  lambda s: limit_files(s.p.pid, None))
    # One that ends while there is no room says so.
    server = Server(program, fresh(folder, "full.aof"), "--fsync", "no")
    limit_files(server.p.pid, 1000)
    c = server.client()
    until(lambda: isinstance(c.ask("SET", "x", "y" * 500), Error), "full")
    server.stop(1)
    same("changes are lost" in server.said(), True, server.said())


def disk(program, folder):
    """The same on a file system without room; `folder` is a small one."""
    filler = os.path.join(folder, "filler")

    def fill_up(_):
        with open(filler, "wb", 0) as f:
            space = os.statvfs(folder)
            f.write(bytes(max(0, space.f_bavail * space.f_bsize - 100000)))

    for policy in ("always", "everysec"):
        full_with(program, fresh(folder, "disk.aof"), policy, fill_up,
                  lambda _: os.remove(filler))


# A filter that lets fdatasync() of one descriptor fail: struct sock_filter.
def refuse_fdatasync(fd):
    number = {"x86_64": 75, "aarch64": 83}[os.uname().machine]
    load, equal, give = 0x20, 0x15, 0x06
    code = [(load, 0, 0, 0), (equal, 0, 3, number), (load, 0, 0, 16),
            (equal, 0, 1, fd), (give, 0, 0, 0x00050005),
            (give, 0, 0, 0x7fff0000)]
    text = b"".join(struct.pack("HBBI", *c) for c in code)
    buf = ctypes.create_string_buffer(text)

    class Program(ctypes.Structure):
        _fields_ = [("len", ctypes.c_ushort), ("filter", ctypes.c_void_p)]

    program = Program(len(code), ctypes.addressof(buf))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(38, 1, 0, 0, 0) or libc.prctl(22, 2, ctypes.byref(program)):
        raise OSError("seccomp")


def descriptor_of(pid, path):
    for fd in os.listdir("/proc/%d/fd" % pid):
        if os.readlink("/proc/%d/fd/%s" % (pid, fd)) == path:
            return int(fd)
    sys.exit("where is the log?")


def sync(program, folder):
    path = fresh(os.path.realpath(folder), "sync.aof")
    env = {"WEND_PARK": "threads"}  # a filter does not see io_uring
    server = Server(program, path, "--fsync", "always", env=env)
    fd = descriptor_of(server.p.pid, path)
    server.stop()
    try:
        server = Server(program, path, "--fsync", "always", env=env,
                        prepare=lambda: refuse_fdatasync(fd))
    except (OSError, KeyError, subprocess.SubprocessError) as e:
        print("SKIPPED: no seccomp filter here: %s" % e)
        return
    c = server.client()
    got = c.ask("SET", "k", "first")
    same(isinstance(got, Error), True, got)
    c.want(b"first", "GET", "k")
    until(lambda: c.ask("SET", "k", "second") == OK, "writing again")
    same(rewrites(c) >= 1, True, "a new log")
    server.kill()
    server = Server(program, path)
    server.client().want(b"second", "GET", "k")
    server.stop()


MODES = {"crash": crash, "torn": torn, "grow": grow, "damage": damage,
         "full": full, "disk": disk, "sync": sync}
signal.signal(signal.SIGPIPE, signal.SIG_IGN)
MODES[sys.argv[1]](*sys.argv[2:])
