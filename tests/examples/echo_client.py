# SPDX-License-Identifier: Apache-2.0
"""echo_client.py [--beyond] PORT CLIENTS - what an echo server must do."""

import os
import socket
import struct
import sys
import threading

TIMEOUT = 60  # seconds; only a failure gets that far


def connect(port):
    s = socket.create_connection(("127.0.0.1", port), TIMEOUT)
    s.settimeout(TIMEOUT)
    return s


def receive(s, size):
    got = b""
    while len(got) < size:
        piece = s.recv(size - len(got))
        if not piece:
            sys.exit("end of file after %d of %d bytes" % (len(got), size))
        got += piece
    return got


def ask(s, message):
    s.sendall(message)
    got = receive(s, len(message))
    if got != message:
        sys.exit("sent %r, got %r" % (message[:60], got[:60]))


def end(s):
    """The server must close its side when we have closed ours."""
    s.shutdown(socket.SHUT_WR)
    if s.recv(1):
        sys.exit("a byte too many")
    s.close()


def one(port):
    s = connect(port)
    for size in (1, 2, 4095, 4096, 4097):
        ask(s, os.urandom(size))
    end(s)


def much(port):
    """4 MiB sent while nobody reads fit no socket's buffers."""
    s = connect(port)
    message = os.urandom(4 << 20)
    sender = threading.Thread(target=s.sendall, args=(message,))
    sender.start()
    if receive(s, len(message)) != message:
        sys.exit("4 MiB came back changed")
    sender.join()
    end(s)


def gone(port):
    """Clients that reset the connection, some with bytes under way."""
    for i in range(20):
        s = connect(port)
        s.sendall(b"x" * i * 1000)
        s.setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
        )
        s.close()


def many(port, count):
    """All connected before the first speaks; then in turn, three times."""
    clients = [connect(port) for _ in range(count)]
    for turn in range(3):
        for i, s in enumerate(clients):
            ask(s, b"client %d, turn %d" % (i, turn))
    for s in clients:
        end(s)


def beyond(port, count):
    """More clients than the server has descriptors, then one more."""
    clients = [connect(port) for _ in range(count)]
    ask(clients[0], b"served")
    for s in clients:
        s.close()
    one(port)


def main(args):
    if args[0] == "--beyond":
        beyond(int(args[1]), int(args[2]))
        return
    port, count = int(args[0]), int(args[1])
    one(port)
    much(port)
    gone(port)
    many(port, count)


main(sys.argv[1:])
