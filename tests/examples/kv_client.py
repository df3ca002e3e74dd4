# SPDX-License-Identifier: Apache-2.0
"""kv_client.py MODE PORT - what clients that speak the protocol may expect."""

import os
import random
import socket
import struct
import sys
import threading
import time

from kv_resp import Client, Error, Gone, encode, same

OK = "OK"


def strings(c):
    c.want(OK, "SET", "s", b"a\r\n\0b")
    c.want(b"a\r\n\0b", "GET", "s")
    c.want(None, "GET", "none")
    c.want(None, "SET", "s", "x", "NX")
    c.want(None, "SET", "s2", "x", "XX")
    c.want(OK, "SET", "s", "x", "xx")
    c.want(b"x", "SET", "s", "y", "GET")
    c.want(0, "SETNX", "s", "z")
    c.want(1, "SETNX", "s3", "z")
    c.want(OK, "MSET", "m1", "1", "m2", "2", "m1", "3")
    c.want([b"3", b"2", None], "MGET", "m1", "m2", "m3")
    c.want(1, "INCR", "n")
    c.want(-4, "DECRBY", "n", 5)
    c.want(9223372036854775807, "INCRBY", "big", 9223372036854775807)
    c.refused("ERR", "INCR", "big")
    c.want(-9223372036854775807, "DECRBY", "small", 9223372036854775807)
    c.want(-9223372036854775808, "DECR", "small")
    c.refused("ERR", "DECR", "small")
    c.refused("ERR", "DECRBY", "n", -9223372036854775808)
    c.refused("ERR", "INCRBY", "n", "9223372036854775808")
    c.refused("ERR", "INCR", "s")
    for no_number in (b"", b" 1", b"01", b"1.0", b"+1", b"-0", b"1\0"):
        c.want(OK, "SET", "t", no_number)
        c.refused("ERR", "INCR", "t")
    c.want(5, "APPEND", "app", "hello")
    c.want(11, "APPEND", "app", " world")
    c.want(b"hello world", "GET", "app")
    c.want(11, "STRLEN", "app")
    c.want(0, "STRLEN", "none")
    c.want(b"hello world", "GETSET", "app", "")
    c.want(b"", "GETDEL", "app")
    c.want(0, "EXISTS", "app")
    c.want(OK, "SET", b"", b"the empty key")
    c.want(b"the empty key", "GET", b"")
    c.refused("ERR wrong number", "MSET", "a", "1", "b")
    c.refused("ERR syntax", "SET", "a", "1", "NX", "XX")
    c.refused("ERR syntax", "SET", "a", "1", "EX")
    c.refused("ERR syntax", "SET", "a", "1", "EX", "1", "PX", "1")
    c.refused("ERR value", "SET", "a", "1", "EX", "x")
    c.refused("ERR invalid expire", "SET", "a", "1", "EX", "0")
    c.refused("ERR invalid expire", "SET", "a", "1", "EX", 1 << 62)
    c.refused("ERR invalid expire", "SETEX", "a", "-1", "1")


def keys(c):
    c.want(OK, "FLUSHALL")
    c.want(0, "DBSIZE")
    names = [b"key:%d" % i for i in range(5000)]
    c.send(b"".join(encode(["SET", n, "v"]) for n in names))
    for _ in names:
        same(c.receive(), OK, "pipelined SET")
    c.want(5000, "DBSIZE")
    same(sorted(c.ask("KEYS", "*")), sorted(names), "KEYS")
    same(sorted(c.ask("KEYS", "key:4[0-5]?9")),
         sorted(n for n in names
                if len(n) == 8 and n[4:5] == b"4" and n[5:6] in b"012345"
                and n[7:] == b"9"), "KEYS with a set")
    # Keys that stay are found, whatever others come and go.
    found, cursor = [], b"0"
    while True:
        cursor, some = c.ask("SCAN", cursor, "MATCH", "key:*", "COUNT", "100")
        found += some
        c.ask("SET", "new:%s" % os.urandom(8).hex(), "x")
        if cursor == b"0":
            break
    same(sorted(found), sorted(names), "SCAN")
    c.want([b"0", []], "SCAN", 0, "TYPE", "list", "COUNT", 1000000)
    c.refused("ERR invalid cursor", "SCAN", "x")
    c.refused("ERR syntax", "SCAN", "0", "COUNT")
    c.refused("ERR syntax", "SCAN", "0", "COUNT", "0")
    c.want(2, "DEL", "key:1", "key:2", "key:2", "none")
    c.want(2, "EXISTS", "key:3", "key:3", "key:1")
    c.want("string", "TYPE", "key:3")
    c.want("none", "TYPE", "key:1")
    c.want(OK, "FLUSHALL")
    c.want([], "KEYS", "*")


def expiry(c):
    c.want(-2, "TTL", "none")
    c.want(OK, "SET", "e", "1")
    c.want(-1, "TTL", "e")
    c.want(0, "PERSIST", "e")
    c.want(1, "EXPIRE", "e", 100)
    same(c.ask("TTL", "e") in (99, 100), True, "TTL")
    same(99000 < c.ask("PTTL", "e") <= 100000, True, "PTTL")
    c.want(2, "INCR", "e")
    same(c.ask("TTL", "e") > 0, True, "INCR keeps the time")
    c.want(OK, "SET", "e", "1", "KEEPTTL")
    same(c.ask("TTL", "e") > 0, True, "KEEPTTL")
    c.want(OK, "SET", "e", "1")
    c.want(-1, "TTL", "e")
    c.want(1, "PEXPIRE", "e", 100000)
    c.want(1, "PERSIST", "e")
    c.want(-1, "PTTL", "e")
    c.want(0, "EXPIRE", "none", 10)
    c.want(1, "EXPIRE", "e", -1)
    c.want(0, "EXISTS", "e")
    c.refused("ERR", "EXPIRE", "e", 1 << 60)
    c.refused("ERR", "EXPIRE", "e", "soon")
    # Gone for who asks, and by itself for who does not.
    for i in range(100):
        c.ask("SET", "short:%d" % i, "x", "PX", 1)
    time.sleep(0.05)
    c.want(None, "GET", "short:0")
    c.want("none", "TYPE", "short:0")
    c.want(1, "INCR", "short:1")
    c.want(-1, "TTL", "short:1")
    while c.ask("DBSIZE") != 1:
        time.sleep(0.05)
    c.want(OK, "FLUSHALL")


def lists(c):
    c.want(3, "RPUSH", "l", "a", "b", "c")
    c.want(5, "LPUSH", "l", "d", "e")
    c.want([b"e", b"d", b"a", b"b", b"c"], "LRANGE", "l", 0, -1)
    c.want([b"d", b"a"], "LRANGE", "l", 1, 2)
    c.want([b"b", b"c"], "LRANGE", "l", -2, 100)
    c.want([b"e"], "LRANGE", "l", -100, 0)
    c.want([], "LRANGE", "l", 3, 1)
    c.want([], "LRANGE", "l", 0, -100)
    c.want([], "LRANGE", "none", 0, -1)
    c.want(b"c", "LINDEX", "l", -1)
    c.want(None, "LINDEX", "l", 5)
    c.want(b"e", "LPOP", "l")
    c.want(b"c", "RPOP", "l")
    c.want([b"d", b"a"], "LPOP", "l", 2)
    c.want([], "LPOP", "l", 0)
    c.want([b"b"], "RPOP", "l", 5)
    c.want(0, "EXISTS", "l")
    c.want(None, "LPOP", "l")
    c.want(None, "LPOP", "l", 1)
    c.refused("ERR", "LPOP", "l", -1)
    model = []
    rng = random.Random(4)
    for i in range(3000):
        which = rng.randrange(5)
        if which == 0:
            model.insert(0, b"%d" % i)
            c.want(len(model), "LPUSH", "r", i)
        elif which < 3:
            model.append(b"%d" % i)
            c.want(len(model), "RPUSH", "r", i)
        else:
            end = 0 if which == 3 else -1
            want = model.pop(end) if model else None
            c.want(want, "RPOP" if end else "LPOP", "r")
    c.want(model, "LRANGE", "r", 0, -1)
    c.want(len(model), "LLEN", "r")


def hashes(c):
    c.want(2, "HSET", "h", "f", "1", "g", "2")
    c.want(1, "HSET", "h", "f", "3", "i", "4")
    c.want(b"3", "HGET", "h", "f")
    c.want(None, "HGET", "h", "x")
    c.want(None, "HGET", "none", "x")
    c.want([b"f", b"3", b"g", b"2", b"i", b"4"], "HGETALL", "h")
    c.want([], "HGETALL", "none")
    c.want([b"3", None], "HMGET", "h", "f", "x")
    c.want([b"f", b"g", b"i"], "HKEYS", "h")
    c.want(3, "HLEN", "h")
    c.want(1, "HEXISTS", "h", "g")
    c.want(2, "HDEL", "h", "f", "g", "g", "x")
    c.want(0, "HEXISTS", "h", "g")
    c.want(1, "HDEL", "h", "i")
    c.want(0, "EXISTS", "h")
    c.refused("ERR wrong number", "HSET", "h", "f", "1", "g")
    c.want(2, "SADD", "set", "a", "b", "a")
    c.want(0, "SADD", "set", "a")
    c.want(1, "SISMEMBER", "set", "a")
    c.want(2, "SCARD", "set")
    c.want([b"a", b"b"], "SMEMBERS", "set")
    c.want(2, "SREM", "set", "a", "b")
    c.want("none", "TYPE", "set")
    many = [x for i in range(2000) for x in ("f%d" % i, i)]
    c.want(2000, "HSET", "many", *many)
    c.want(2000, "HLEN", "many")


def wrong_types(c):
    c.ask("SET", "s", "x")
    c.ask("RPUSH", "l", "x")
    c.ask("HSET", "h", "x", "y")
    c.ask("SADD", "set", "x")
    for words in (("LPUSH", "s", "x"), ("LRANGE", "h", 0, 1), ("GET", "l"),
                  ("INCR", "h"), ("APPEND", "set", "x"), ("HGET", "s", "x"),
                  ("HSET", "set", "a", "b"), ("SADD", "h", "a"),
                  ("LPOP", "s"), ("STRLEN", "l"), ("HDEL", "l", "x"),
                  ("SET", "l", "x", "GET"), ("GETDEL", "l")):
        c.refused("WRONGTYPE", *words)
    c.want([None, b"x"], "MGET", "l", "s")
    for key in "lh":
        c.want(OK, "SET", key, "now a string")
    c.want(1, "DEL", "set")
    c.refused("ERR unknown command", "NOSUCH", "x")
    c.refused("ERR unknown command", b"\r\nNO\r\n")
    c.refused("ERR wrong number", "GET")
    c.refused("ERR wrong number", "GET", "a", "b")


def transactions(c, other):
    c.want(OK, "MULTI")
    c.refused("ERR", "MULTI")
    c.want("QUEUED", "SET", "t", "1")
    c.want("QUEUED", "INCR", "t")
    c.want("QUEUED", "LPUSH", "t", "x")
    c.want("QUEUED", "DBSIZE")
    other.want(0, "EXISTS", "t")
    got = c.ask("EXEC")
    same(got[:2], [OK, 2], "EXEC")
    same(got[2].startswith("WRONGTYPE"), True, "an error inside")
    same(isinstance(got[3], int), True, "DBSIZE inside")
    c.want(b"2", "GET", "t")
    c.refused("ERR", "EXEC")
    c.refused("ERR", "DISCARD")

    c.want(OK, "MULTI")
    c.refused("ERR unknown", "NOSUCH")
    c.want("QUEUED", "SET", "t", "never")
    c.refused("EXECABORT", "EXEC")
    c.want(OK, "MULTI")
    c.refused("ERR", "SUBSCRIBE", "x")
    c.refused("EXECABORT", "EXEC")
    c.want(OK, "MULTI")
    c.want("QUEUED", "SET", "t", "never")
    c.want(OK, "DISCARD")
    c.want(b"2", "GET", "t")
    c.want(OK, "MULTI")
    c.want([], "EXEC")

    def watched(change, *words):
        c.want(OK, "SET", "w", "1")
        c.ask("DEL", "w2")
        c.want(OK, "WATCH", "w", "w2")
        if change:
            other.ask(*words)
        c.want(OK, "MULTI")
        c.want("QUEUED", "SET", "w3", "x")
        same(c.ask("EXEC") is None, change, ("WATCH", words))

    watched(False)
    for words in (("SET", "w", "2"), ("DEL", "w"), ("SET", "w2", "x"),
                  ("EXPIRE", "w", "100"), ("FLUSHALL",), ("APPEND", "w", "")):
        watched(True, *words)
    c.want(OK, "WATCH", "w")
    other.ask("SET", "w", "other")
    c.want(OK, "UNWATCH")
    c.want(OK, "MULTI")
    c.want([], "EXEC")
    c.refused("ERR", "WATCH")


def transfers(port):
    """Nobody sees money that is on its way: sums over two accounts, while
    others move it by transactions and by WATCH."""
    begin = Client(port)
    begin.want(OK, "MSET", "acc:1", 1000, "acc:2", 1000)
    stop = threading.Event()
    wrong = []

    def move(n):
        c = Client(port)
        for i in range(200):
            c.ask("WATCH", "acc:1")
            have = int(c.ask("GET", "acc:1"))
            c.ask("MULTI")
            c.ask("SET", "acc:1", have - 1)
            c.ask("INCR", "acc:2")
            c.ask("EXEC")

    def look():
        c = Client(port)
        while not stop.is_set():
            a, b = c.ask("MGET", "acc:1", "acc:2")
            if int(a) + int(b) != 2000:
                wrong.append((a, b))

    movers = [threading.Thread(target=move, args=(n,)) for n in range(4)]
    looker = threading.Thread(target=look)
    for t in movers + [looker]:
        t.start()
    for t in movers:
        t.join()
    stop.set()
    looker.join()
    same(wrong, [], "sums")
    a, b = begin.ask("MGET", "acc:1", "acc:2")
    same(int(a) + int(b), 2000, "the sum")
    same(int(b) > 1000, True, "some were moved")


def pubsub(port):
    a, b, p = Client(port), Client(port), Client(port)
    p.want(0, "PUBLISH", "news", "nobody")
    a.want([b"subscribe", b"news", 1], "SUBSCRIBE", "news")
    b.send(encode(["PSUBSCRIBE", "n*", "x[ab]"]))
    same(b.receive(), [b"psubscribe", b"n*", 1], "PSUBSCRIBE")
    same(b.receive(), [b"psubscribe", b"x[ab]", 2], "PSUBSCRIBE")
    p.want(2, "PUBLISH", "news", b"\r\n1")
    p.want(1, "PUBLISH", "xb", "2")
    p.want(0, "PUBLISH", "xc", "3")
    same(a.receive(), [b"message", b"news", b"\r\n1"], "message")
    same(b.receive(), [b"pmessage", b"n*", b"news", b"\r\n1"], "pmessage")
    same(b.receive(), [b"pmessage", b"x[ab]", b"xb", b"2"], "pmessage")
    a.refused("ERR Can't execute", "GET", "x")
    a.want([b"pong", b"hi"], "PING", "hi")
    a.want([b"unsubscribe", b"other", 1], "UNSUBSCRIBE", "other")
    a.want([b"unsubscribe", b"news", 0], "UNSUBSCRIBE")
    a.want([b"unsubscribe", None, 0], "UNSUBSCRIBE")
    a.want("PONG", "PING")
    # In the order in which they were published, and from several at once.
    a.want([b"subscribe", b"count", 1], "SUBSCRIBE", "count")
    p.send(b"".join(encode(["PUBLISH", "count", i]) for i in range(5000)))
    for i in range(5000):
        same(a.receive(), [b"message", b"count", b"%d" % i], "message")
    for i in range(5000):
        same(p.receive(), 1, "PUBLISH")
    p.want(OK, "MULTI")
    p.want("QUEUED", "PUBLISH", "count", "in EXEC")
    p.want([1], "EXEC")
    same(a.receive(), [b"message", b"count", b"in EXEC"], "message")
    # Who is gone is nobody.
    a.close()
    while p.ask("PUBLISH", "count", "x") != 0:
        time.sleep(0.01)
    b.want(OK, "QUIT")
    b.ended()


def slow_subscriber(port):
    """One who reads nothing is hung up on, and holds nobody up."""
    slow, good, p = Client(port), Client(port), Client(port)
    slow.want([b"subscribe", b"flood", 1], "SUBSCRIBE", "flood")
    good.want([b"subscribe", b"flood", 1], "SUBSCRIBE", "flood")
    message = b"x" * 10000
    count = 0
    while True:
        count += 1
        if count > 100000:
            sys.exit("a subscriber that reads nothing is still served")
        got = p.ask("PUBLISH", "flood", message)
        same(good.receive(), [b"message", b"flood", message], "flood")
        if got == 1:
            break
        same(got, 2, "PUBLISH")
    try:
        while True:
            slow.receive()
    except (Gone, ConnectionResetError):
        pass


def pipelines(c):
    n = 20000
    c.send(b"".join(encode(["INCR", "p"]) for _ in range(n)))
    for i in range(n):
        same(c.receive(), i + 1, "pipelined INCR")
    # In pieces of every size, across all borders.
    whole = encode(["SET", "piece", b"x" * 50]) + encode(["GET", "piece"])
    for size in list(range(1, 20)) + [len(whole)]:
        for at in range(0, len(whole), size):
            c.send(whole[at:at + size])
            if size < 4:
                time.sleep(0.0005)
        same(c.receive(), OK, "in pieces")
        same(c.receive(), b"x" * 50, "in pieces")
    big = os.urandom(3 << 20)
    c.want(OK, "SET", "big", big)
    c.want(big, "GET", "big")
    c.want(1, "DEL", "big")


def inline(port):
    c = Client(port)
    c.send(b"PING\r\n\r\n  ping\n")
    same([c.receive(), c.receive()], ["PONG", "PONG"], "inline")
    c.send(b'SET "in line" "a\\x41\\n\\"" \r\nGET \'in line\'\r\n')
    same([c.receive(), c.receive()], [OK, b'aA\n"'], "inline with quotes")
    c.send(b"QUIT\r\nPING\r\n")
    same(c.receive(), OK, "QUIT")
    c.ended()


def malformed(port):
    for bad in (b"*1\r\n+PING\r\n", b"*x\r\n", b"*1\r\n$-1\r\n",
                b"*1\r\n$99999999999\r\n", b"*99999999999\r\n",
                b"*1\r\n$4\r\nPINGxx", b"*1\r\n$4x\r\n", b"*1\rx",
                b"*" + b"1" * 100, b"x" * 100000, b'PING "\r\n',
                b'PING "a"b\r\n', b"*1\r\n$1000000000\r\n"):
        c = Client(port)
        c.send(b"PING\r\n" + bad)
        same(c.receive(), "PONG", "before what is malformed")
        got = c.receive()
        same(isinstance(got, Error) and got.startswith("ERR Protocol error"),
             True, (bad[:40], got))
        c.ended()
    for fine in (b"*0\r\n", b"*-1\r\n", b"\r\n", b"*0\r\n\r\n"):
        c = Client(port)
        c.send(fine + b"PING\r\n")
        same(c.receive(), "PONG", fine)
        c.close()
    # Hung up on in the middle, some with a reset.
    for i in range(30):
        c = Client(port)
        c.send(encode(["SET", "half", "x" * 1000])[:i * 30])
        if i % 2:
            c.s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                           struct.pack("ii", 1, 0))
        c.close()
    # Half closed: what was asked is answered.
    c = Client(port)
    c.send(encode(["PING"]) * 3)
    c.s.shutdown(socket.SHUT_WR)
    same([c.receive() for _ in range(3)], ["PONG"] * 3, "half closed")
    c.ended()


def oversized(port):
    """The server was started with --max-request 100000."""
    c = Client(port)
    c.want(OK, "SET", "o", b"x" * 90000)
    c.send(b"*3\r\n$3\r\nSET\r\n$1\r\no\r\n$100000\r\n")
    same(c.receive().startswith("ERR Protocol error: request too large"),
         True, "one large string")
    c.ended()
    c = Client(port)
    c.send(b"*1000\r\n" + b"$1000\r\n%s\r\n" % (b"x" * 1000) * 999)
    same(c.receive().startswith("ERR Protocol error: request too large"),
         True, "many strings")
    c = Client(port)
    c.want(OK, "MULTI")
    for _ in range(3):
        got = c.ask("SET", "o", b"x" * 40000)
    same(got.startswith("ERR transaction too large"), True, got)
    c.refused("EXECABORT", "EXEC")
    c.want(90000, "STRLEN", "o")


def many(port, count):
    clients = [Client(port) for _ in range(count)]
    for turn in range(3):
        for i, c in enumerate(clients):
            c.send(encode(["INCR", "many:%d" % (i % 10)]))
        for c in clients:
            same(isinstance(c.receive(), int), True, "INCR")
    total = sum(int(clients[0].ask("GET", "many:%d" % i)) for i in range(10))
    same(total, 3 * count, "the sum of all INCRs")
    for c in clients:
        c.close()


def too_many(port, most):
    """The server was started with --maxclients MOST."""
    clients = [Client(port) for _ in range(most)]
    for c in clients:
        c.want("PONG", "PING")
    more = Client(port)
    same(more.receive().startswith("ERR max number of clients"), True, "more")
    more.ended()
    clients.pop().close()
    while True:
        c = Client(port)
        try:
            c.want("PONG", "PING")
            break
        except (Gone, SystemExit, ConnectionResetError, BrokenPipeError):
            c.close()
    same(b"rejected_connections:" in c.ask("INFO", "stats"), True, "INFO")


def beyond(port, descriptors):
    """More clients than the server has descriptors: these wait, and are
    served when others have gone; those that it has are served all along."""
    clients = [Client(port) for _ in range(descriptors + 20)]
    for _ in range(20):
        clients[0].want("PONG", "PING")
    last = clients[-1]
    last.send(encode(["PING"]))
    for c in clients[:-1]:
        c.close()
    same(last.receive(), "PONG", "the last one")


def all_of_it(port):
    c, other = Client(port), Client(port)
    for part in (strings, keys, expiry, lists, hashes, wrong_types,
                 pipelines):
        c.want(OK, "FLUSHALL")
        part(c)
    transactions(c, other)
    transfers(port)
    pubsub(port)
    inline(port)
    malformed(port)
    many(port, 200)


def main(mode, port, *rest):
    port = int(port)
    if mode == "all":
        all_of_it(port)
    else:
        {"slow": slow_subscriber, "oversized": oversized,
         "too-many": too_many, "beyond": beyond}[mode](
             port, *map(int, rest))


main(*sys.argv[1:])
