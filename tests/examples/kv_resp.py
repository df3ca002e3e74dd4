# SPDX-License-Identifier: Apache-2.0
"""kv_resp.py - Redis' protocol, as a client of few lines needs it."""

import socket
import sys

TIMEOUT = 120  # seconds; only a failure gets that far


class Error(str):
    """An answer that is an error."""


class Gone(Exception):
    """The server has hung up."""


def encode(words):
    words = [w if isinstance(w, bytes) else str(w).encode() for w in words]
    return b"*%d\r\n" % len(words) + b"".join(
        b"$%d\r\n%s\r\n" % (len(w), w) for w in words
    )


class Client:
    def __init__(self, port):
        self.s = socket.create_connection(("127.0.0.1", port), TIMEOUT)
        self.s.settimeout(TIMEOUT)
        self.f = self.s.makefile("rb")

    def send(self, data):
        self.s.sendall(data)

    def line(self):
        line = self.f.readline()
        if not line.endswith(b"\r\n"):
            raise Gone()
        return line[:-2]

    def receive(self):
        line = self.line()
        kind, rest = line[:1], line[1:]
        if kind == b"+":
            return rest.decode()
        if kind == b"-":
            return Error(rest.decode())
        if kind == b":":
            return int(rest)
        if kind == b"$":
            return self.bulk(int(rest))
        if kind == b"*":
            n = int(rest)
            return None if n < 0 else [self.receive() for _ in range(n)]
        sys.exit("no answer: %r" % line)

    def bulk(self, size):
        if size < 0:
            return None
        data = self.f.read(size + 2)
        if len(data) < size + 2:
            raise Gone()
        return data[:-2]

    def ask(self, *words):
        self.send(encode(words))
        return self.receive()

    def want(self, wanted, *words):
        same(self.ask(*words), wanted, words)

    def refused(self, code, *words):
        """The answer is an error that begins so; returns it."""
        got = self.ask(*words)
        if not isinstance(got, Error) or not got.startswith(code):
            sys.exit("%r: got %r, wanted -%s" % (words, got, code))
        return got

    def ended(self):
        """The server hangs up, and says nothing any more."""
        try:
            got = self.f.read(1)
        except ConnectionResetError:
            return
        if got:
            sys.exit("more than the end: %r" % got)

    def close(self):
        self.f.close()
        self.s.close()


def same(got, wanted, what):
    if got != wanted or isinstance(got, Error) != isinstance(wanted, Error):
        sys.exit("%r: got %.500r, wanted %.500r" % (what, got, wanted))
