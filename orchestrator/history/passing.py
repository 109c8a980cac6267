"""PURE: what is known of a history by looking at each event in passing, once, in order."""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

from nodes.wire.record import COMPLETIONS, Kind
from orchestrator.history.merged import Event, Life, Row, event_of

Look = Callable[[Row], None]


class Passer(Protocol):
    """`looks`: what is done with an event, by its kind."""

    @property
    def looks(self) -> Mapping[Kind, Look]: ...


def pass_by(events: Iterable[Row], *passers: Passer) -> None:
    """The next events, in order."""
    look = {kind: found for passer in passers for kind, found in passer.looks.items()}.get
    for event in events:
        if (found := look(event[5])) is not None:
            found(event)


class Receipts:
    """`overtaken`: the orders of receipts that came after one of a higher number of the same client, to the same
    process; `forgotten`: of those below the number that their process had forgotten of their client by then.
    `numbered`: what says that something was forgotten, and has other numbers than its client's, or as what was
    forgotten no number. `tardy`: the processes
    that did not say so directly after a receipt."""

    def __init__(self) -> None:
        self.overtaken: set[int] = set()
        self.forgotten: set[int] = set()
        self.numbered: list[Event] = []
        self.tardy: set[Life] = set()
        self.trims = array("I"), array("q"), array("q")
        """Of each that makes sense: its order, the client, below what was forgotten."""
        self._received: dict[tuple[str, int, int], bool] = {}
        self._highest: dict[tuple[str, int, int], int] = {}
        self._marks: dict[tuple[str, int, int], int] = {}
        self.looks: Mapping[Kind, Look] = {
            Kind.RECEIVE: self._receive,
            Kind.TRIM: self._trim,
            **dict.fromkeys((Kind.EXECUTE, Kind.COMMIT, Kind.ANSWER), self._serve),
        }

    def _receive(self, event: Row) -> None:
        key, seq = (event[3], event[4], event[6]), event[7]  # node, epoch, client
        if seq:
            self._received[key] = True
        if seq < self._highest.get(key, 0):
            self.overtaken.add(event[0])
        else:
            self._highest[key] = seq
        if seq < self._marks.get(key, 0):
            self.forgotten.add(event[0])

    def _trim(self, event: Row) -> None:
        order, _, _, node, epoch, _, client, *numbers, detail = event
        key, mark = (node, epoch, client), detail.get("mark", 0)
        self._marks[key] = max(mark, self._marks.get(key, 0))
        if not self._received.pop(key, False):
            self.tardy.add((node, epoch))
        if numbers != [0, 0, 0] or type(mark) is not int or "mark" not in detail or max(client, mark) >= 2**63:
            self.numbered.append(event_of(event))
        else:
            orders, clients, marks = self.trims
            orders.append(order)
            clients.append(client)
            marks.append(mark)

    def _serve(self, event: Row) -> None:
        if event[7]:
            self._received[event[3], event[4], event[6]] = False

    @property
    def forgetful(self) -> frozenset[Life]:
        """The processes that say what they forget."""
        return frozenset((node, epoch) for node, epoch, _ in self._marks)

    @property
    def forgot(self) -> frozenset[tuple[int, str]]:
        """(client, node): of whom who says so."""
        return frozenset((client, node) for node, _, client in self._marks)


class Written:
    """The rows of one ledger, as they were collected: their numbers, epochs and orders. `misdated`: whether one says to
    be of another epoch than it is."""

    def __init__(self) -> None:
        self.numbers: list[Any] = []
        self.epochs: list[int] = []
        self.orders = array("I")
        self.misdated = False
        self._first: dict[Life, tuple[int, int]] = {}

    def add(self, row: Row) -> None:
        detail = row[10]
        number = detail["n"]
        first, place = (int(number), len(self.numbers)), (row[3], row[4])
        if place not in self._first or first < self._first[place]:
            self._first[place] = first
        self.misdated = self.misdated or detail.get("epoch") != row[4]
        self.numbers.append(number)
        self.epochs.append(row[4])
        self.orders.append(row[0])

    @property
    def places(self) -> list[int]:
        """In the order in which they were written."""
        return sorted(range(len(self.numbers)), key=lambda place: int(self.numbers[place]))

    @property
    def lives(self) -> list[Life]:
        """Who wrote them, in the order of their first ones."""
        return sorted(self._first, key=self._first.__getitem__)


class Rows:
    """`ledgers`, by name."""

    def __init__(self) -> None:
        self.ledgers: dict[str, Written] = {}
        self.looks: Mapping[Kind, Look] = {Kind.EFFECT: self._row}

    def _row(self, event: Row) -> None:
        name = event[10]["ledger"]
        if name not in self.ledgers:
            self.ledgers[name] = Written()
        self.ledgers[name].add(event)


class Firsts:
    """`ahead`: what was sent with a first incomplete number above the lowest open operation of its client, which that
    is."""

    def __init__(self) -> None:
        self.ahead: list[tuple[Event, int]] = []
        self._open: dict[int, set[int]] = defaultdict(set)
        self.looks: Mapping[Kind, Look] = {
            Kind.INVOKE: self._invoke,
            Kind.SEND: self._send,
            **dict.fromkeys(COMPLETIONS, self._complete),
        }

    def _invoke(self, event: Row) -> None:
        self._open[event[6]].add(event[7])  # client, seq

    def _send(self, event: Row) -> None:
        first, numbers = event[10].get("first"), self._open[event[6]]
        if first is not None and numbers and first > min(numbers):
            self.ahead.append((event_of(event), min(numbers)))

    def _complete(self, event: Row) -> None:
        self._open[event[6]].discard(event[7])
