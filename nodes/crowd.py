"""PURE: a crowd: connections beside those of a client's calls, which do not behave (chaos/faults/peers.py).

Rules of this file:

1. Who is sent away, or finds nobody, comes again after AGAIN: the crowd keeps its size for as long as it is on.
2. It is there when each of its members has been let in or refused, or has waited for GATHERING: what drops those that
   connect (a full backlog) says nothing to them.
3. In the end it leaves without a word: with a reset, which nobody repeats if it is lost.
4. What it asks is nobody's operation: a plain call, without a header of ours. Nobody looks at the answers.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from nodes.accepting import EXHAUSTED
from nodes.ops import Address, Close, Connect, Get, Now, Program, Put, Queue, Recv, Send, Sleep, Socket, Spawn
from nodes.rpc.codecs import Codec
from nodes.rpc.interface import Procedure
from nodes.rpc.serve import READ_SIZE
from nodes.units import MILLISECOND
from nodes.wire.header import CallHeader
from nodes.wire.record import Kind, Witness

AGAIN = 10 * MILLISECOND
EACH = MILLISECOND // 10
"""For each of the crowd: all of it together comes no more often than that."""
LACKING = 100 * MILLISECOND
"""Where it is this process that has no room for another connection."""
GATHERING = 250 * MILLISECOND
PATIENCE = 1_500 * MILLISECOND
"""Until a connection that nobody accepts is given up: the kernel asks again after a second. So late may its end be."""
LARGE = 4096
"""Bytes that `unread` asks for, each time."""
AT_ONCE, AHEAD = 64, 8_192
"""Calls that a member of `flood` hands over together, and how many of the crowd's may be unanswered: enough for half a
second, so that its server always has some, and few enough to be done soon after it is over."""


class Questions:
    """What members of a crowd send, in the protocol of their link."""

    def __init__(self, codec: Codec, procedure: Procedure, *, plainly: bool, members: int = 1) -> None:
        self.ahead = max(AT_ONCE, AHEAD // members)
        """Calls of one member that may be unanswered."""
        self._codec = codec
        self._procedure = procedure
        self._header = None if plainly else CallHeader(1, 1, 1, 0, 0, 1)

    def one(self, size: int) -> bytes:
        """A whole request that carries so many bytes."""
        codec = self._codec
        return codec.wrap(codec.encode_call(1, self._procedure, self._header, (bytes(size),)))

    def answered(self, size: int) -> int:
        """How many bytes its answer has."""
        codec = self._codec
        return len(codec.wrap(codec.encode_reply(1, self._procedure, None, bytes(size))))

    @property
    def half(self) -> bytes:
        whole = self.one(8)
        return whole[: len(whole) // 2]


class Counts:
    """Of one turn: connections that came, those that were open at once at most, attempts that others refused or did not
    hear, and those for which this process had no room."""

    def __init__(self) -> None:
        self.connected = self.most = self.refused = self.lacking = 0


class Crowd:
    """One fault's; `switch` is the plane's command."""

    def __init__(self, rule: Mapping[str, Any], target: Address, questions: Questions, witness: Witness) -> None:
        self._rule = rule["index"]
        self._behave = BEHAVIOURS[rule["crowd"]]
        self._size = rule["connections"]
        self._target = target
        self._questions = questions
        self._witness = witness
        self._open: dict[Socket, None] = {}
        self._turn = 0
        self._coming = 0
        self._counts = Counts()
        self._arrived, self._over = Queue(), Queue()

    def switch(self, active: bool) -> Program:
        """-> once it is there, or gone. What it does it does while it is on record as being on."""
        if active:
            self._counts = Counts()
            self._note_rule(active)
            yield from self._gather()
        else:
            yield from self._disperse()
            self._witness.note(Kind.CROWD, detail={"rule": self._rule, **vars(self._counts)})
            self._note_rule(active)

    def _note_rule(self, active: bool) -> None:
        self._witness.note(Kind.RULE, detail={"rule": self._rule, "active": active})

    def _gather(self) -> Program:
        self._turn += 1
        self._arrived = Queue()
        for number in range(self._size):
            yield Spawn(self._member(self._turn), f"crowd {number}")
        now = yield Now()
        deadline = now + GATHERING
        for _ in range(self._size):
            try:
                yield Get(self._arrived, deadline)
            except TimeoutError:
                return

    def _disperse(self) -> Program:
        """Who is on the way is waited for: nobody can call a connect back."""
        self._turn += 1
        self._over = Queue()
        for socket in list(self._open):
            yield Close(socket, reset=True)
        if self._coming:
            yield Get(self._over)

    def _member(self, turn: int) -> Program:
        arrived, pause = self._arrived, max(AGAIN, self._size * EACH)
        while turn == self._turn:
            lacking = yield from self._come(turn, arrived)
            now = yield Now()
            yield Sleep(now + (max(pause, LACKING) if lacking else pause))

    def _come(self, turn: int, arrived: Queue) -> Program:
        """Once, and until it is sent away or the crowd is over -> whether there was no room for it here."""
        socket, error = yield from self._connect()
        if socket is not None and turn == self._turn:
            self._open[socket] = None
            self._counts.most = max(self._counts.most, len(self._open))
        elif socket is not None:
            yield Close(socket, reset=True)
        yield Put(arrived, None)
        if turn != self._turn:
            if not self._coming:
                yield Put(self._over, None)
        elif socket is not None:
            yield from self._stay(socket)
        return error in EXHAUSTED

    def _connect(self) -> Program:
        """-> (socket, None), or (None, the error's number)."""
        now = yield Now()
        self._coming += 1
        try:
            socket = yield Connect(self._target, now + PATIENCE)
        except OSError as error:
            lacks = error.errno in EXHAUSTED
            self._counts.lacking += lacks
            self._counts.refused += not lacks
            return None, error.errno
        else:
            self._counts.connected += 1
            return socket, None
        finally:
            self._coming -= 1

    def _stay(self, socket: Socket) -> Program:
        try:
            yield from self._behave(socket, self._questions)
        except OSError:
            pass  # it was sent away, or the crowd is over
        self._open.pop(socket, None)
        yield Close(socket)


def _silent(socket: Socket, questions: Questions) -> Program:
    while (yield Recv(socket, READ_SIZE)):
        pass


def _half(socket: Socket, questions: Questions) -> Program:
    yield Send(socket, questions.half)
    yield from _silent(socket, questions)


def _unread(socket: Socket, questions: Questions) -> Program:
    question = questions.one(LARGE)
    while True:
        yield Send(socket, question)


def _flood(socket: Socket, questions: Questions) -> Program:
    came = Queue()
    yield Spawn(_reading(socket, came), "crowd's answers")
    together, owed = questions.one(8) * AT_ONCE, 0
    while True:
        yield Send(socket, together)
        owed += AT_ONCE * questions.answered(8)
        while owed > questions.ahead * questions.answered(8):
            owed -= yield Get(came)


def _reading(socket: Socket, came: Queue) -> Program:
    """Tells how many bytes of answers came each time. When the connection has ended it tells of a last answer to all
    that was asked, so that who waits for it sends again, and learns of the end by that."""
    try:
        while data := (yield Recv(socket, READ_SIZE)):
            yield Put(came, len(data))
    except OSError:
        pass
    yield Put(came, sys.maxsize)


def _resets(socket: Socket, questions: Questions) -> Program:
    yield Send(socket, questions.half)
    yield Close(socket, reset=True)


BEHAVIOURS: Mapping[str, Callable[[Socket, Questions], Program]] = MappingProxyType(
    {"silent": _silent, "half": _half, "unread": _unread, "flood": _flood, "resets": _resets}
)
