# SPDX-License-Identifier: Apache-2.0
"""What an HTTP/1.1 server must do.

    http_client.py [--fair | --hold | --beyond] PORT [COUNT]

Speaks over plain sockets, so that it can also be impolite. The numbers of
sections are RFC 9110's (semantics) and RFC 9112's (HTTP/1.1).
"""

import email.utils
import json
import os
import socket
import struct
import subprocess
import sys
import threading
import time

TIMEOUT = 90  # seconds; only a failure gets that far
HELLO = b"hello from wend\n"
MAX_BODY = 1 << 20


class Client:
    """One connection, with a buffer of what came and was not read."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), TIMEOUT)
        self.socket.settimeout(TIMEOUT)
        self.rest = b""

    def send(self, data):
        self.socket.sendall(data)

    def more(self):
        piece = self.socket.recv(65536)
        self.rest += piece
        return len(piece) > 0

    def reply(self, head_only=False):
        """The next reply: status, headers (names in lower case), body."""
        while b"\r\n\r\n" not in self.rest:
            if not self.more():
                raise AssertionError("no reply; got %r" % self.rest)
        head, _, self.rest = self.rest.partition(b"\r\n\r\n")
        lines = head.decode().split("\r\n")
        version, status, _ = lines[0].split(" ", 2)
        assert version == "HTTP/1.1", lines[0]
        headers = {}
        for line in lines[1:]:
            name, _, value = line.partition(": ")
            headers[name.lower()] = value
        if status in ("100", "204", "304") or head_only:
            return int(status), headers, b""
        size = int(headers["content-length"])
        while len(self.rest) < size:
            assert self.more(), "the body ends too early"
        body, self.rest = self.rest[:size], self.rest[size:]
        return int(status), headers, body

    def ended(self):
        """Whether the server has closed, with nothing more to say."""
        return not self.rest and not self.more()

    def close(self):
        self.socket.close()


def request(method, path, body=None, headers=(), version="1.1"):
    lines = ["%s %s HTTP/%s" % (method, path, version), "Host: x"]
    lines += headers
    if body is not None:
        lines.append("Content-Length: %d" % len(body))
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + (body or b"")


def chunked(pieces, extension=b"", trailers=b""):
    out = b"".join(
        b"%x%s\r\n%s\r\n" % (len(p), extension, p) for p in pieces
    )
    return out + b"0\r\n" + trailers + b"\r\n"


def equal(got, want):
    assert got == want, "got %r, wanted %r" % (got, want)


# Each of the following takes the port, and is one test.


def pages(port):
    c = Client(port)
    for path in ("/", "/hello", "/hello?a=b", "http://x/hello", "/#part"):
        c.send(request("GET", path))
        status, headers, body = c.reply()
        equal((status, body), (200, HELLO))
        equal(headers["content-type"], "text/plain")
        date = email.utils.parsedate_to_datetime(headers["date"])
        assert abs(date.timestamp() - time.time()) < 86400, headers["date"]
        assert "connection" not in headers
    c.send(request("GET", "/nothing"))
    equal(c.reply()[0], 404)
    c.send(request("GET", "/helloo"))
    equal(c.reply()[0], 404)


def head(port):
    """9110 9.3.2: as GET, without the body."""
    c = Client(port)
    for path, status in (("/", 200), ("/nothing", 404)):
        c.send(request("GET", path))
        _, want, _ = c.reply()
        c.send(request("HEAD", path))
        got = c.reply(head_only=True)
        equal((got[0], got[1]["content-length"]), (status, want["content-length"]))
    c.send(request("GET", "/"))  # and nothing of a body is in between
    equal(c.reply()[2], HELLO)


def wrong_method(port):
    """9110 15.5.6: 405 says what is allowed."""
    c = Client(port)
    for method, path, allow in (
        ("POST", "/", "GET, HEAD, OPTIONS"),
        ("DELETE", "/hello", "GET, HEAD, OPTIONS"),
        ("GET", "/echo", "POST, OPTIONS"),
    ):
        c.send(request(method, path, b"" if method == "POST" else None))
        status, headers, _ = c.reply()
        equal((status, headers["allow"]), (405, allow))


def persistence(port):
    """9112 9.3: 1.1 stays, 1.0 does not, and either can be told."""
    for version, header, stays in (
        ("1.1", [], True),
        ("1.1", ["Connection: close"], False),
        ("1.0", [], False),
        ("1.0", ["Connection: keep-alive"], True),
    ):
        c = Client(port)
        c.send(request("GET", "/", headers=header, version=version))
        status, headers, body = c.reply()
        equal((status, body), (200, HELLO))
        if stays:
            equal(
                headers.get("connection"),
                "keep-alive" if version == "1.0" else None,
            )
            c.send(request("GET", "/", headers=header, version=version))
            equal(c.reply()[0], 200)
        else:
            equal(headers["connection"], "close")
            assert c.ended()


def echo(port):
    c = Client(port)
    for size in (0, 1, 4096, 100000, MAX_BODY):
        body = os.urandom(size)
        c.send(request("POST", "/echo", body))
        status, headers, got = c.reply()
        equal((status, got == body), (200, True))
    pieces = [os.urandom(n) for n in (1, 17, 8192, 70000)]
    for extension in (b"", b";a=b", b";a"):
        for trailers in (b"", b"X-Sum: 1\r\n"):
            c.send(request("POST", "/echo", headers=["Transfer-Encoding: chunked"]))
            c.send(chunked(pieces, extension, trailers))
            status, _, got = c.reply()
            equal((status, got == b"".join(pieces)), (200, True))


def expect(port):
    """9110 10.1.1: 100 before the body is sent, and none without a body."""
    c = Client(port)
    for size in (["Content-Length: 4"], ["Transfer-Encoding: chunked"]):
        c.send(request("POST", "/echo", headers=size + ["Expect: 100-Continue"]))
        equal(c.reply()[0], 100)
        c.send(b"data" if "4" in size[0] else chunked([b"data"]))
        equal(c.reply()[::2], (200, b"data"))
    c.send(request("GET", "/", headers=["Expect: 100-continue"]))
    equal(c.reply()[0], 200)


def refused(port, data, status):
    c = Client(port)
    try:
        c.send(data)
    except (BrokenPipeError, ConnectionResetError):
        pass  # it need not read all that it will not take
    got, headers, _ = c.reply()
    equal((got, headers["connection"]), (status, "close"))
    assert c.ended()


def too_large(port):
    """Refused with the reason, before it is sent where the size is known."""
    refused(port, request("GET", "/" + "a" * 10000), 414)
    refused(port, request("GET", "/", headers=["X: " + "b" * 20000]), 431)
    refused(port, request("GET", "/", headers=["b" * 20000 + ": x"]), 431)
    many = ["X-%d: %s" % (i, "c" * 100) for i in range(300)]
    refused(port, request("GET", "/", headers=many), 431)
    length = ["Content-Length: %d" % (MAX_BODY + 1)]
    refused(port, request("POST", "/echo", headers=length), 413)
    length = ["Content-Length: %d" % (MAX_BODY + 1), "Expect: 100-continue"]
    refused(port, request("POST", "/echo", headers=length), 413)
    head = request("POST", "/echo", headers=["Transfer-Encoding: chunked"])
    refused(port, head + chunked([b"d" * 65536] * 17), 413)
    long_extension = chunked([b"e"], b";x=" + b"f" * 20000)
    refused(port, head + long_extension, 431)
    # ... and just inside the limits
    c = Client(port)
    c.send(request("GET", "/?" + "a" * 1000, headers=["X: " + "b" * 16000]))
    equal(c.reply()[0], 200)


def bad_requests(port):
    """9112 2.2, 3, 6.3, 7.1; 9110 7.2: refused, and the connection closed."""
    chunks = b"POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    for data in (
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",  # TLS
        b"hello\r\n\r\n",
        b"GET / HTTP/x.y\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nNo colon\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nX : y\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nX: a\0b\r\n\r\n",
        b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n"
        b"Content-Length: 2\r\n\r\nab",
        b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n",
        chunks + b"xyz\r\n",
        chunks + b"fffffffffffffffff\r\n",
        chunks + b"1\r\nabc\r\n0\r\n\r\n",
    ):
        try:
            refused(port, data, 400)
        except (AssertionError, OSError) as e:
            raise AssertionError("%r: %s" % (data, e))
    for version in (b"2.0", b"9.9"):
        refused(port, b"GET / HTTP/" + version + b"\r\nHost: x\r\n\r\n", 505)
    refused(port, b"BREW / HTTP/1.1\r\nHost: x\r\n\r\n", 501)
    refused(port, request("POST", "/echo", b"", ["Expect: tea"]), 417)
    # What comes before the bad one is answered.
    c = Client(port)
    c.send(request("GET", "/") + b"what\r\n\r\n")
    equal(c.reply()[0], 200)
    equal(c.reply()[0], 400)
    assert c.ended()


def pipeline(port):
    """9112 9.3.2: answered in order, however they arrive."""
    c = Client(port)
    bodies = [b"request %d" % i for i in range(500)]
    data = b"".join(request("POST", "/echo", b) for b in bodies)
    sender = threading.Thread(target=c.send, args=(data,))
    sender.start()
    for body in bodies:
        equal(c.reply()[::2], (200, body))
    sender.join()


def drip(port):
    """A byte at a time."""
    c = Client(port)
    c.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    head = request("POST", "/echo", headers=["Transfer-Encoding: chunked"])
    for byte in head + chunked([b"drip", b"drop"]):
        c.send(bytes([byte]))
    equal(c.reply()[::2], (200, b"dripdrop"))


def half_closed(port):
    c = Client(port)
    c.send(request("GET", "/") * 3)
    c.socket.shutdown(socket.SHUT_WR)
    for _ in range(3):
        equal(c.reply()[0], 200)
    assert c.ended()


def upgrade_ignored(port):
    """9110 7.8: a server may ignore it."""
    c = Client(port)
    asks = ["Connection: Upgrade", "Upgrade: websocket"]
    c.send(request("GET", "/", headers=asks) + request("GET", "/hello"))
    equal(c.reply()[0], 200)
    equal(c.reply()[0], 200)


def gone(port):
    """Clients that reset the connection, whatever is under way."""
    whole = request("POST", "/echo", b"x" * MAX_BODY)
    for cut in (0, 10, 60, 1000, len(whole)):
        c = Client(port)
        c.send(whole[:cut])
        c.socket.setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
        )
        c.close()
    pages(port)


def parallel(port):
    """50 clients, all connected before the first asks, 20 requests each."""
    errors = []
    clients = [Client(port) for _ in range(50)]

    def ask(number, c):
        try:
            for i in range(20):
                body = b"client %d, request %d" % (number, i)
                c.send(request("POST", "/echo", body))
                equal(c.reply()[::2], (200, body))
        except (AssertionError, OSError) as e:
            errors.append("client %d: %s" % (number, e))

    threads = [
        threading.Thread(target=ask, args=pair) for pair in enumerate(clients)
    ]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not errors, errors


def stats(port):
    """The counts count: requests exactly, and the load goes on meanwhile."""
    c = Client(port)

    def ask():
        c.send(request("GET", "/stats"))
        status, headers, body = c.reply()
        equal((status, headers["content-type"]), (200, "application/json"))
        return json.loads(body)

    first = ask()
    second = ask()
    equal(second["requests"], first["requests"] + 1)
    assert second["tasks_live"] >= 25 + 2, second
    assert second["resident_kib"] > 0 and second["kernel_threads"] > 0
    until = time.monotonic() + TIMEOUT
    while second["load_messages"] <= first["load_messages"] + 100:
        assert time.monotonic() < until, "the load does not get on"
        second = ask()
    assert second["load_steps"] > first["load_steps"]


def notes(port):
    """The JSON API: made, shown, changed, forgotten; and what is wrong."""
    c = Client(port)

    def ask(method, path, body=None):
        c.send(request(method, "/api/notes" + path, body))
        status, headers, text = c.reply()
        if status == 204:
            return status, headers, None
        equal(headers["content-type"], "application/json")
        return status, headers, json.loads(text)

    equal(ask("GET", "")[2], [])
    status, headers, note = ask("POST", "", b'{"text": "one"}')
    equal((status, note["text"]), (201, "one"))
    where = headers["location"].replace("/api/notes", "")
    equal(where, "/" + note["id"])
    equal(ask("GET", where)[::2], (200, note))
    text = "\u00e4 \"quoted\"\n"
    body = json.dumps({"text": text}).encode()
    equal(ask("PUT", where, body)[2], {"id": note["id"], "text": text})
    equal(ask("GET", "")[2], [{"id": note["id"], "text": text}])
    equal(ask("DELETE", where)[0], 204)
    for method in ("GET", "PUT", "DELETE"):
        equal(ask(method, where, b'{"text": ""}')[0], 404)
    status, _, error = ask("POST", "", b'{"text":\n "a",}')
    equal(status, 400)
    assert "line 2, column" in error["error"], error
    equal(ask("POST", "", b"[" * 1000)[0], 413)
    equal(ask("POST", "", b'{"text": 1}')[0], 422)
    equal(ask("POST", "", b"[]")[0], 422)
    c.send(request("PATCH", "/api/notes"))
    equal(c.reply()[0], 405)


def hold(port):
    """Clients in every state; the server must hang up on all."""
    clients = [Client(port) for _ in range(21)]
    for c in clients:
        c.send(request("GET", "/"))
        equal(c.reply()[0], 200)
    for c in clients[:10]:
        c.send(request("POST", "/echo", b"x" * 1000)[:-1])
    print("connected", flush=True)
    for c in clients:
        assert c.ended()


def fair(port, count):
    """A new client is served, however busy the others keep the server.

    Not measured by time: by the others' requests meanwhile. Each client that
    came before may be accepted only after a round of requests of all others;
    twice that is too much. From before the others come until a while after the
    last of them is there.
    """
    watcher = Client(port)

    def counts():
        watcher.send(request("GET", "/stats"))
        got = json.loads(watcher.reply()[2])
        return got["requests"], got["accepted"]

    url = "http://127.0.0.1:%d/" % port
    others = ["wrk", "-t", "1", "-c", str(count), "-d", "120s", url]
    before, all_there = counts()
    all_there += count
    rounds = 10
    with subprocess.Popen(others, stdout=subprocess.DEVNULL) as wrk:
        try:
            while rounds > 0:
                c = Client(port)
                c.send(request("GET", "/"))
                equal(c.reply()[::2], (200, HELLO))
                after, accepted = counts()
                assert after - before < 2 * count * count, after - before
                before = after
                rounds -= accepted > all_there
                assert wrk.poll() is None, "wrk failed"
        finally:
            wrk.kill()


def beyond(port, descriptors):
    """More clients than the server has descriptors, then one more."""
    clients = [Client(port) for _ in range(descriptors)]
    clients[0].send(request("GET", "/"))
    equal(clients[0].reply()[0], 200)
    for c in clients:
        c.close()
    pages(port)


TESTS = (
    pages,
    head,
    wrong_method,
    persistence,
    echo,
    expect,
    too_large,
    bad_requests,
    pipeline,
    drip,
    half_closed,
    upgrade_ignored,
    gone,
    parallel,
    stats,
    notes,
)


def main(args):
    if args[0] == "--fair":
        fair(int(args[1]), int(args[2]))
    elif args[0] == "--hold":
        hold(int(args[1]))
    elif args[0] == "--beyond":
        beyond(int(args[1]), int(args[2]))
    else:
        for test in TESTS:
            print(test.__name__, flush=True)
            test(int(args[0]))


main(sys.argv[1:])
