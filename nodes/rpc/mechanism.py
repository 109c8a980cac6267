"""PURE: what a server does about one received copy of a call, for each of the five call semantics.

Rules of this file:

1. `arrive` is called once for each received copy and says what to do with it. `complete` is called once for
   each execution, after its transaction was committed, and says which attempts are to be answered.
2. A copy that arrives while its operation executes joins that execution; everybody who waits is answered.
3. A client's results are kept until its first-incomplete number passes them (RIFL, SOSP 2015, section 3.3);
   a copy below that mark is stale and never executed.
4. What binds a call to a server (its incarnation, or its history's id) is compared first: a call bound to
   another server is refused, whatever else is known about it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import Enum
from typing import Any, NamedTuple, Protocol

from nodes.ops import ReplyRecord
from nodes.wire.header import CallHeader, Status

WINDOW = 64
"""Operations of one client, from its first incomplete one, that a server accepts; beyond it answers BUSY."""


class Do(Enum):
    """What to do with a received copy."""

    EXECUTE = 1
    WAIT = 2  # it joined an execution
    ANSWER = 3


class Arrival(NamedTuple):
    """`status` and `value` are set for ANSWER; value is None for the statuses without a result."""

    do: Do
    status: Status = Status.EXECUTED
    value: Any = None


class Waiter(NamedTuple):
    """Who is to be answered: `peer` is opaque here."""

    header: CallHeader
    xid: int
    peer: Any


class Mechanism(Protocol):
    """One endpoint's policy."""

    def hello(self, client: int) -> None:
        """A client introduced itself."""

    def arrive(self, waiter: Waiter) -> Arrival: ...

    def record(self, header: CallHeader, value: Any) -> ReplyRecord | None: ...

    def complete(self, waiter: Waiter, value: Any) -> list[tuple[Waiter, Status]]: ...


EXECUTE = Arrival(Do.EXECUTE)
WAIT = Arrival(Do.WAIT)


class Unfiltered:
    """*Maybe* and *at-least-once*: every copy is executed and answered by itself."""

    def hello(self, client: int) -> None:
        pass

    def arrive(self, waiter: Waiter) -> Arrival:
        return EXECUTE

    def record(self, header: CallHeader, value: Any) -> ReplyRecord | None:
        return None

    def complete(self, waiter: Waiter, value: Any) -> list[tuple[Waiter, Status]]:
        return [(waiter, Status.EXECUTED)]


class ClientHistory:
    """What is remembered of one client: results at or above `mark`, and who waits for what executes."""

    __slots__ = ("executing", "mark", "results")

    def __init__(self) -> None:
        self.mark = 0
        self.results: dict[int, Any] = {}
        self.executing: dict[int, list[Waiter]] = {}

    def trim(self, first: int) -> bool:
        """Forget results below `first`; True if the mark moved."""
        if first <= self.mark:
            return False
        self.mark = first
        for seq in [seq for seq in self.results if seq < first]:
            del self.results[seq]
        return True


class Filtered:
    """*At-most-once* and *exactly-once*: a reply history per client filters repeats.

    `binding` is the number a call must be bound to (0: not checked). `known_only` refuses clients that never
    said hello to this history. `durable` histories put their records in the effect's own transaction.
    """

    def __init__(
        self,
        binding: int,
        *,
        known_only: bool,
        durable: bool,
        trimmed: Callable[[int, int], None],
        records: Iterable[ReplyRecord] = (),
    ) -> None:
        self.binding = binding
        self.known_only = known_only
        self.durable = durable
        self.trimmed = trimmed
        self.clients: dict[int, ClientHistory] = {}
        for record in records:
            self._recover(record)

    def _recover(self, record: ReplyRecord) -> None:
        history = self.clients.setdefault(record.client, ClientHistory())
        if record.seq:
            history.results[record.seq] = record.result
        history.trim(record.first)

    def hello(self, client: int) -> None:
        self.clients.setdefault(client, ClientHistory())

    def arrive(self, waiter: Waiter) -> Arrival:
        header = waiter.header
        history = self.clients.get(header.client)
        if self._refuses(header, history):
            return Arrival(Do.ANSWER, Status.REFUSED)
        if history is None:
            history = self.clients[header.client] = ClientHistory()
        if history.trim(header.first):
            self.trimmed(header.client, header.first)
        return self._filter(history, waiter)

    def _refuses(self, header: CallHeader, history: ClientHistory | None) -> bool:
        if self.binding and header.server != self.binding:
            return True
        return self.known_only and history is None

    def _filter(self, history: ClientHistory, waiter: Waiter) -> Arrival:
        seq = waiter.header.seq
        if seq < history.mark:
            return Arrival(Do.ANSWER, Status.STALE)
        if seq in history.results:
            return Arrival(Do.ANSWER, Status.CACHED, history.results[seq])
        if seq in history.executing:
            history.executing[seq].append(waiter)
            return WAIT
        if seq >= history.mark + WINDOW:
            return Arrival(Do.ANSWER, Status.BUSY)
        history.executing[seq] = [waiter]
        return EXECUTE

    def record(self, header: CallHeader, value: Any) -> ReplyRecord | None:
        if not self.durable:
            return None
        first = self.clients[header.client].mark if header.seq else 0
        return ReplyRecord(header.client, header.seq, first, value)

    def complete(self, waiter: Waiter, value: Any) -> list[tuple[Waiter, Status]]:
        history = self.clients[waiter.header.client]
        seq = waiter.header.seq
        if seq >= history.mark:
            history.results[seq] = value
        first, *joined = history.executing.pop(seq)
        return [(first, Status.EXECUTED), *((other, Status.JOINED) for other in joined)]
