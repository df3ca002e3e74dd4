# SPDX-License-Identifier: Apache-2.0
"""proxy_client.py WHAT [PORT [ORIGIN]] - both ends of what a proxy connects.

origin serves until it is killed: HTTP, and to who says a line of another kind
first that line and all that comes after, and then the end. The others are
clients.
"""

import os
import socket
import socketserver
import sys
import threading

TIMEOUT = 120  # seconds; only a failure gets that far
LENGTH = b"0123456789" * 10000


def fail(*what):
    sys.exit(" ".join(str(w) for w in what))


# --- the origin ---------------------------------------------------------------


class Origin(socketserver.StreamRequestHandler):
    def handle(self):
        while True:
            line = self.rfile.readline()
            if not line:
                return
            if b"HTTP/1." not in line:
                self.echo(line)
                return
            self.answer(line.split())

    def echo(self, line):
        if line == b"silence\n":
            self.rfile.read()
            return
        if line == b"ticks\n":
            # Longer than the other side may be silent, but never silent.
            for i in range(10):
                self.wfile.write(b"tick\n")
                threading.Event().wait(0.4)
            return
        while line:
            self.wfile.write(line)
            line = self.rfile.read1()
        self.connection.shutdown(socket.SHUT_WR)

    def fields(self):
        fields = {}
        while True:
            line = self.rfile.readline().strip()
            if not line:
                return fields
            name, value = line.split(b":", 1)
            fields[name.lower()] = value.strip()

    def body(self, fields):
        if b"chunked" not in fields.get(b"transfer-encoding", b""):
            return self.rfile.read(int(fields.get(b"content-length", 0)))
        body = b""
        while True:
            size = int(self.rfile.readline(), 16)
            body += self.rfile.read(size)
            self.rfile.readline()
            if size == 0:
                return body

    def reply(self, body, *fields):
        self.wfile.write(
            b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n" % len(body)
            + b"".join(f + b"\r\n" for f in fields)
            + b"\r\n"
        )
        self.wfile.write(body)

    def answer(self, request):
        method, target = request[0], request[1]
        fields = self.fields()
        if fields.get(b"expect"):
            self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        body = self.body(fields)
        if target == b"/echo":
            self.reply(body)
        elif target == b"/fields":
            seen = b"".join(b"%s: %s\n" % f for f in sorted(fields.items()))
            self.reply(
                seen,
                b"Connection: X-Mine",
                b"X-Mine: secret",
                b"X-Other: public",
            )
        elif target == b"/length" and method == b"HEAD":
            self.wfile.write(
                b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n"
            )
        elif target == b"/length":
            self.reply(LENGTH)
        elif target == b"/chunks":
            self.wfile.write(
                b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                b"3\r\nabc\r\n"
            )
            self.wfile.write(b"4\r\ndefg\r\n0\r\n\r\n")
        elif target == b"/cut":
            self.wfile.write(
                b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                b"3\r\nabc\r\n"
            )
            self.connection.shutdown(socket.SHUT_RDWR)
        elif target == b"/found":
            self.wfile.write(
                b"HTTP/1.1 302 Found\r\nLocation: /hello\r\n"
                b"Content-Length: 0\r\n\r\n"
            )
        elif target == b"/silence":
            self.rfile.read()
        else:
            self.reply(b"hello")


class Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    request_queue_size = 100

    def handle_error(self, request, client_address):
        pass  # a client that was cut off: what some tests are about


def origin():
    server = Server(("127.0.0.1", 0), Origin)
    print(server.server_address[1], flush=True)
    server.serve_forever()


# --- clients ------------------------------------------------------------------


def connect(port):
    s = socket.create_connection(("127.0.0.1", port), TIMEOUT)
    s.settimeout(TIMEOUT)
    return s


def rest(s):
    """All up to the end; a reset is one, too."""
    got = b""
    try:
        while True:
            piece = s.recv(65536)
            if not piece:
                return got
            got += piece
    except ConnectionError:
        return got


def expect(what, got, want):
    if got != want:
        fail(what, ": got", repr(got[:200]), "wanted", repr(want[:200]))


def half_close(s):
    """Our end is passed on, and what the other side says then comes back."""
    s.sendall(b"hello\nagain")
    s.shutdown(socket.SHUT_WR)
    expect("half close", rest(s), b"hello\nagain")


def much(s):
    message = b"x\n" + os.urandom(8 << 20)
    sender = threading.Thread(
        target=lambda: (s.sendall(message), s.shutdown(socket.SHUT_WR))
    )
    sender.start()
    got = rest(s)
    sender.join()
    if got != message:
        fail("8 MiB came back changed,", len(got))


def forward(port):
    half_close(connect(port))
    much(connect(port))
    clients = [connect(port) for _ in range(50)]
    for i, s in enumerate(clients):
        s.sendall(b"client %d\n" % i)
    for i, s in enumerate(clients):
        s.shutdown(socket.SHUT_WR)
        expect("many", rest(s), b"client %d\n" % i)
    gone = connect(port)
    gone.sendall(b"x\n" * 100000)
    gone.close()
    half_close(connect(port))


def silence(port):
    s = connect(port)
    s.sendall(b"ticks\n")
    expect("one-sided silence", rest(s), b"tick\n" * 10)
    s = connect(port)
    s.sendall(b"silence\n")
    expect("silence", rest(s), b"")


def nobody(port):
    expect("nobody", rest(connect(port)), b"")


def conns(port):
    """The third is let in when one of the others has gone."""
    a, b = connect(port), connect(port)
    for s in (a, b):
        s.sendall(b"x\n")
        expect("within --conns", s.recv(2), b"x\n")
    c = connect(port)
    c.sendall(b"y\n")
    c.settimeout(0.3)
    try:
        fail("beyond --conns: got", c.recv(2))
    except socket.timeout:
        pass
    a.close()
    c.settimeout(TIMEOUT)
    expect("room again", c.recv(2), b"y\n")


# --- HTTP ---------------------------------------------------------------------


def read_head(f):
    status = f.readline()
    fields = {}
    while True:
        line = f.readline()
        if line in (b"\r\n", b""):
            return status, fields
        name, value = line.split(b":", 1)
        fields[name.lower()] = value.strip()


def ask(f, method, url, *fields):
    """Over one connection: the status, fields and the body's bytes as sent."""
    f.write(b"%s %s HTTP/1.1\r\nHost: ignored\r\n" % (method, url))
    for field in fields:
        f.write(field + b"\r\n")
    f.write(b"\r\n")
    f.flush()
    status, fields = read_head(f)
    if not status:
        fail("no answer to", method, url)
    body = b""
    if method != b"HEAD" and b"transfer-encoding" in fields:
        while True:
            try:
                size = f.readline()
            except ConnectionResetError:
                return int(status.split()[1]), fields, None  # cut off
            if not size:
                fail("an answer that just ends:", method, url)
            body += f.read(int(size, 16))
            f.readline()
            if int(size, 16) == 0:
                break
    elif method != b"HEAD":
        body = f.read(int(fields.get(b"content-length", 0)))
    return int(status.split()[1]), fields, body


def opened(port):
    return connect(port).makefile("rwb")


def tunnel(port, target, behind=b""):
    s = connect(port)
    s.sendall(b"CONNECT %s HTTP/1.1\r\nHost: x\r\n\r\n" % target + behind)
    f = s.makefile("rb", 0)
    status, fields = read_head(f)
    return s, int(status.split()[1])


def check(what, got, want):
    if got != want:
        fail(what, ": got", got, "wanted", want)


def requests(port, base):
    f = opened(port)
    status, fields, body = ask(f, b"GET", base + b"/length")
    check("GET", (status, body == LENGTH), (200, True))
    check("GET's length", fields.get(b"content-length"), b"100000")
    status, fields, body = ask(f, b"HEAD", base + b"/length")
    check("HEAD", fields.get(b"content-length"), b"100000")
    check("chunks", ask(f, b"GET", base + b"/chunks")[2], b"abcdefg")
    check("a query", ask(f, b"GET", base + b"?a=b")[2], b"hello")
    status, fields, body = ask(f, b"GET", base + b"/found")
    check("redirect", (status, fields.get(b"location")), (302, b"/hello"))
    status, fields, body = ask(
        f,
        b"GET",
        base + b"/fields",
        b"Connection: x-hop, keep-alive",
        b"X-Hop: 1",
        b"Proxy-Authorization: secret",
        b"X-End: 2",
    )
    seen = set(line.split(b":")[0] for line in body.splitlines())
    check("what goes on", seen, {b"host", b"via", b"x-end"})
    check("the host", b"host: " + base[7:] in body.splitlines(), True)
    check("what comes back", fields.get(b"x-other"), b"public")
    check("what stays", b"x-mine" in fields, False)
    check("Via", fields.get(b"via"), b"1.1 wend-proxy")
    # A body cut short is not made whole, and does not look so.
    check("cut", ask(f, b"GET", base + b"/cut")[2], None)


def refusals(port, base):
    f = opened(port)
    check("refused", ask(f, b"GET", b"http://127.0.0.1:1/")[0], 502)
    loop = b"http://127.0.0.1:%d/" % port
    check("a loop", ask(f, b"GET", loop)[0], 508)
    check("no path", ask(f, b"OPTIONS", b"*")[0], 400)
    check("https", ask(f, b"GET", b"https://127.0.0.1:%d/" % port)[0], 501)
    check("no host", ask(f, b"GET", b"http:///x")[0], 400)


def tunnels(port, target):
    s, status = tunnel(port, target)
    check("CONNECT", status, 200)
    half_close(s)
    s, status = tunnel(port, target, b"early\n")
    s.shutdown(socket.SHUT_WR)
    check("behind CONNECT", (status, rest(s)), (200, b"early\n"))
    s, status = tunnel(port, target)
    much(s)
    for bad in (b"127.0.0.1:1", b"127.0.0.1:https", b":443", b"127.0.0.1:+443"):
        status = tunnel(port, bad)[1]
        if status not in (400, 403):
            fail("CONNECT", bad, ": got", status)


def http(port, origin):
    base = b"http://127.0.0.1:%d" % origin
    requests(port, base)
    refusals(port, base)
    tunnels(port, base[7:])


def http_silence(port, origin):
    base = b"127.0.0.1:%d" % origin
    status, fields, body = ask(opened(port), b"GET", b"http://%s/silence" % base)
    check("silence", status, 504)
    s, status = tunnel(port, base)
    s.sendall(b"silence\n")
    check("a silent tunnel", (status, rest(s)), (200, b""))


def hold(port, origin, mode):
    """Waiting for an answer that does not come, and between two requests."""
    if mode == "--http":
        idle = connect(port)
        ask(idle.makefile("rwb"), b"GET", b"http://127.0.0.1:%d/" % origin)
        s, _ = tunnel(port, b"127.0.0.1:%d" % origin)
        s.sendall(b"x\n")
        s.recv(2)
        busy = connect(port)
        busy.sendall(
            b"GET http://127.0.0.1:%d/silence HTTP/1.1\r\nHost: x\r\n\r\n"
            % origin
        )
        waiting = [idle, s, busy]
    else:
        s = connect(port)
        s.sendall(b"x\n")
        s.recv(2)
        waiting = [s]
    print("waiting", flush=True)
    for s in waiting:
        rest(s)


def main(args):
    what = {
        "origin": origin,
        "forward": forward,
        "silence": silence,
        "nobody": nobody,
        "conns": conns,
        "http": http,
        "http-silence": http_silence,
        "hold": hold,
    }[args[0]]
    what(*(int(a) if a.isdigit() else a for a in args[1:]))


main(sys.argv[1:])
