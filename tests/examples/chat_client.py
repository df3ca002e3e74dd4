# SPDX-License-Identifier: Apache-2.0
"""chat_client.py WHAT PORT - people who talk, and one who does not listen."""

import select
import socket
import sys
import threading

TIMEOUT = 120  # seconds; only a failure gets that far


def fail(*what):
    sys.exit(" ".join(str(w) for w in what))


class Person:
    def __init__(self, port, nick=None, room=None, rcvbuf=0):
        self.s = socket.socket()
        self.s.settimeout(TIMEOUT)
        if rcvbuf:
            self.s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, rcvbuf)
        self.s.connect(("127.0.0.1", port))
        self.f = self.s.makefile("rb")
        welcome = self.hear()
        if not welcome.startswith("* welcome, guest"):
            fail("welcome:", welcome)
        self.nick = welcome[11:].split(";")[0]
        if nick:
            self.say("/nick " + nick)
            self.hears("* %s is now %s" % (self.nick, nick))
            self.nick = nick
        if room:
            self.say("/join " + room)
            self.hears("* %s has joined %s" % (self.nick, room))

    def say(self, *lines):
        self.s.sendall("".join(line + "\n" for line in lines).encode())

    def hear(self):
        """The next line; "" at the end."""
        return self.f.readline().decode(errors="replace").rstrip("\n")

    def hears(self, *lines):
        for want in lines:
            got = self.hear()
            if got != want:
                fail(self.nick, "heard", repr(got), "not", repr(want))

    def hears_nothing(self):
        """Nothing before the answer to something that we say."""
        self.say("/no")
        self.hears("! no such command; /help says what there is")

    def ends(self):
        if self.f.read(1):
            fail(self.nick, "hears more")


def talk(port):
    alice = Person(port, "alice", "tea")
    bob = Person(port, "bob", "tea")
    alice.hears("* bob has joined tea")
    carol = Person(port, "carol")
    carol.say("hello?", "/who", "/leave")
    carol.hears("! you are in no room; /join one")
    carol.hears("! you are in no room", "! you are in no room")
    alice.say("hello, world")
    bob.hears("alice: hello, world")
    alice.say("/who", "/list")
    alice.hears("* in tea: alice bob", "* rooms: tea (2)")
    carol.say("/join coffee", "/list", "/msg bob psst, bob", "/msg dave hi")
    carol.hears("* carol has joined coffee", "* rooms: tea (2) coffee (1)")
    carol.hears("! nobody has that nick")
    bob.hears("(carol): psst, bob")
    carol.say("only here")
    alice.hears_nothing()
    # Another room: the one before hears of it, and is no more when empty.
    carol.say("/join tea", "/list")
    carol.hears("* carol has joined tea", "* rooms: tea (3)")
    alice.hears("* carol has joined tea")
    bob.hears("* carol has joined tea")
    bob.say("/leave")
    bob.hears("* you have left")
    alice.hears("* bob has left")
    carol.hears("* bob has left")
    bob.say("/nick alice", "/nick a b", "/nick ", "/nick " + "x" * 21)
    bob.hears("! that nick is taken")
    bob.hears(*["! a nick has 1 to 20 letters, digits, '-' or '_'"] * 3)
    bob.say("/join ../x", "/msg alice", "/nowhere")
    bob.hears("! a room has 1 to 20 letters, digits, '-' or '_'")
    bob.hears("! say /msg NICK TEXT")
    bob.hears("! no such command; /help says what there is")
    bob.say("/help")
    if not [bob.hear() for _ in range(8)][7].startswith("* /quit"):
        fail("/help")
    alice.say("/nick al", "\x1b[2Jboo\x07")
    for person in (alice, carol):
        person.hears("* alice is now al")
    carol.hears("al: ?[2Jboo?")
    alice.say("/quit", "more")
    alice.hears("* bye")
    alice.ends()
    carol.hears("* al is gone")
    # A name that is free again; a client that just goes.
    Person(port, "alice", "tea").s.close()
    carol.hears("* alice has joined tea", "* alice is gone")


def long(port):
    """Lines of the greatest length, and longer."""
    alice, bob = Person(port, "alice", "tea"), Person(port, "bob", "tea")
    alice.hears("* bob has joined tea")
    alice.say("x" * 1023)
    bob.hears("alice: " + "x" * 1023)
    alice.say("x" * 1024)
    alice.hears("! too long a line: bye")
    alice.ends()
    bob.hears("* alice is gone")


def many(port):
    """All hear all, in the order in which each said it."""
    people = [Person(port, "p%d" % i, "tea") for i in range(40)]
    for i, p in enumerate(people):
        p.hears(*("* p%d has joined tea" % j for j in range(i + 1, 40)))
    for p in people:
        p.say(*("%s says %d" % (p.nick, i) for i in range(10)))
    for p in people:
        next_of = {q.nick: 0 for q in people if q is not p}
        for _ in range(390):
            who, what = p.hear().split(": ", 1)
            if what != "%s says %d" % (who, next_of[who]):
                fail(p.nick, "heard", what, "after", next_of[who])
            next_of[who] += 1


def slow(port):
    """One does not read. The others get everything, and hear that it goes."""
    alice, bob = Person(port, "alice", "tea"), Person(port, "bob", "tea")
    mute = Person(port, "mute", "tea", rcvbuf=4096)
    for p in (alice, bob):
        while p.hear() != "* mute has joined tea":
            pass
    dropped = threading.Event()
    heard = []

    def listen():
        while not (dropped.is_set() and heard[-1:] == ["alice: last"]):
            line = bob.hear()
            if not line:
                return
            heard.append(line)
            if line.startswith("* mute"):
                dropped.set()

    listener = threading.Thread(target=listen)
    listener.start()
    said = 0
    while not dropped.is_set() and listener.is_alive():
        alice.say("%d %s" % (said, "x" * 900))
        said += 1
        # Nobody else is to be the slow one: in step with bob.
        while len(heard) < said - 8 and listener.is_alive():
            dropped.wait(0.001)
        if said > 20000:
            fail("mute is not dropped")
    alice.say("last")
    listener.join()
    reason = "* mute was dropped: it reads too slowly"
    talk = [line for line in heard if line != reason]
    if len(talk) != len(heard) - 1:
        fail("it is said", len(heard) - len(talk), "times")
    want = ["alice: %d %s" % (i, "x" * 900) for i in range(said)]
    if talk != want + ["alice: last"]:
        fail("bob heard", len(talk), "of", said + 1)
    alice.hears(reason)
    # The connection of the slow one has been ended.
    try:
        while mute.s.recv(65536):
            pass
    except ConnectionError:
        pass


def flood(port):
    """Who says too much at once is read more slowly, and nobody is dropped."""
    alice, bob = Person(port, "alice", "tea"), Person(port, "bob", "tea")
    alice.hears("* bob has joined tea")
    alice.say(*("%d" % i for i in range(60)))
    # The bucket: the first that are heard come at once, others after a wait.
    bob.hears(*("alice: %d" % i for i in range(60)))
    bob.say("/who")
    bob.hears("* in tea: alice bob")


def full(port, clients):
    """One more than --clients waits until another has gone."""
    people = [Person(port) for _ in range(clients)]
    late = socket.create_connection(("127.0.0.1", port), TIMEOUT)
    people[0].hears_nothing()
    if select.select([late], [], [], 0.3)[0]:
        fail("one too many:", late.recv(100))
    people[0].say("/quit")
    late.settimeout(TIMEOUT)
    if not late.recv(100).startswith(b"* welcome"):
        fail("no welcome for the last")


def hold(port):
    people = [Person(port, None, "tea") for _ in range(20)]
    print("waiting", flush=True)
    for p in people:
        line = p.hear()
        while "joined" in line or "gone" in line:
            line = p.hear()
        if line != "* the server stops: bye":
            fail("at the end:", line)


def main(args):
    what = {
        "talk": talk,
        "long": long,
        "many": many,
        "slow": slow,
        "flood": flood,
        "full": full,
        "hold": hold,
    }[args[0]]
    what(*(int(a) for a in args[1:]))


main(sys.argv[1:])
