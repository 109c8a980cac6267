"""PURE: a client's memory of its session and of its open calls.

What a call's reply means, whether it was bound, and what its end is called are decided here; when bytes move is
the driver's affair (nodes/drivers/rpc.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any, ClassVar, NamedTuple

from nodes.ops import Queue
from nodes.rpc.codecs import Reply
from nodes.rpc.interface import Procedure
from nodes.rpc.semantics import Identity, binding
from nodes.wire.header import CallHeader, ReplyHeader, Status

ANSWERED = frozenset({Status.EXECUTED, Status.CACHED, Status.JOINED})
FINAL = frozenset({Status.STALE, Status.REFUSED})


class End(Enum):
    """How an operation ended, for its client: `fail` is provably not executed, `info` is unknown."""

    OK = "ok"
    FAIL = "fail"
    INFO = "info"


class Outcome(NamedTuple):
    """`value` is the result of OK, else the error's text; `attempts`, if they are known, how many it took."""

    end: End
    value: Any
    attempts: int = 0


class Call:
    """One open operation. `mailbox` receives its replies and its connection's end."""

    __slots__ = ("arguments", "attempt", "connection", "handed", "intent", "mailbox", "procedure", "seq", "server")

    def __init__(self, seq: int, intent: int, procedure: Procedure, arguments: tuple[Any, ...]) -> None:
        self.seq = seq
        self.intent = intent
        self.procedure = procedure
        self.arguments = arguments
        self.attempt = 0
        self.handed = False
        self.server = 0
        self.connection = 0
        self.mailbox = Queue()

    def bind(self, server: int) -> None:
        """The first byte of attempt 1 binds the call; a retransmission never binds it again."""
        if not self.handed:
            self.server = server
            self.handed = True

    def given_up(self, reason: str) -> Outcome:
        """`fail` only if no attempt handed a byte to the transport."""
        return Outcome(End.INFO if self.handed else End.FAIL, reason)


def outcome(reply: Reply) -> Outcome | None:
    """What a reply means for its call; None: wait on (the server was busy)."""
    header = reply.header
    if header is None:
        return Outcome(End.INFO, reply.error or "a reply without a header")
    if header.status in ANSWERED and reply.error is None:
        return Outcome(End.OK, reply.value)
    if header.status in FINAL:
        return Outcome(End.INFO, Status(header.status).name.lower())
    if header.status == Status.BUSY:
        return None
    return Outcome(End.INFO, f"the server's error: {reply.error}")


class Sent:
    """The calls of the latest attempts, by their xids; and of older ones as long as the call is open: what kept their
    replies may let them go after all."""

    REMEMBERED: ClassVar[int] = 256

    def __init__(self, open_calls: Mapping[int, Call]) -> None:
        self._open = open_calls
        self._calls: dict[int, Call] = {}
        self._last = 0

    def add(self, call: Call) -> int:
        """-> the xid of another attempt."""
        self._last += 1
        self._calls[self._last] = call
        while len(self._calls) > self.REMEMBERED:
            oldest, ended = next(iter(self._calls.items()))
            if self._open.get(ended.seq) is ended:
                break
            del self._calls[oldest]
        return self._last

    def get(self, xid: int) -> Call | None:
        return self._calls.get(xid)


class Numbers:
    """What a client process numbers over all of its links: operations, of which some are open, lines and hellos."""

    def __init__(self) -> None:
        self.lines = 0
        self.hellos = 0
        self._begun: set[int] = set()
        self._next = 1

    def begin(self, seq: int) -> None:
        self._begun.add(seq)
        self._next = max(self._next, seq + 1)

    def end(self, seq: int) -> None:
        self._begun.discard(seq)

    @property
    def first_incomplete(self) -> int:
        return min(self._begun, default=self._next)


class Session:
    """What this client knows of its server, and its open calls by number.

    A number is open from `begin` until `end`; its call is in `open` as soon as its program runs. A client with sessions
    on several servers has its `numbers` in common for all of them. One that does not introduce itself says nothing of
    itself but its number: no hello, and no number below which it has all results.
    """

    def __init__(self, client: int, semantics: str, numbers: Numbers | None = None, *, introduces: bool = True) -> None:
        self.client = client
        self.introduces = introduces
        self.numbers = numbers or Numbers()
        self.semantics = semantics
        self.identity: Identity | None = None
        self.greeted = False
        """False: hello is due before the next new operation (at first, after a refusal, after a failed connection)."""
        self.open: dict[int, Call] = {}

    def begin(self, seq: int) -> None:
        """To be called before anything of a later number is sent: the server forgets what is below the first open."""
        self.numbers.begin(seq)

    def end(self, seq: int) -> None:
        self.numbers.end(seq)
        self.open.pop(seq, None)

    @property
    def owes_hello(self) -> bool:
        return self.introduces and not self.greeted

    def header(self, call: Call) -> CallHeader:
        first = self.numbers.first_incomplete if self.introduces else 0
        return CallHeader(self.client, call.seq, call.attempt, first, call.server, call.intent)

    def binding(self) -> int:
        return binding(self.semantics, self.identity) if self.identity else 0

    def learn(self, header: ReplyHeader) -> None:
        """Every reply tells who answered; an operation's refusal makes hello due."""
        if header.seq == 0:
            self.identity = Identity(header.incarnation, header.history, header.lease)
            self.greeted = True
        elif header.status == Status.REFUSED:
            self.greeted = False
