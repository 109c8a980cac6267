"""PURE: what is kept of a history that is not held, of one look at each of its events."""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import compress, count
from typing import overload

from nodes.wire.record import COLLECTED, COMPLETIONS, Kind
from orchestrator.history.courses import Courses
from orchestrator.history.merged import Event, Life, Operation, Row, event_of
from orchestrator.history.passing import Firsts, Receipts, Rows, pass_by
from orchestrator.history.repeated import Alone, repeated
from orchestrator.history.stored import Block, Picked, Stored
from orchestrator.history.straight import course
from orchestrator.history.trace import OF_OPERATIONS, Trace, by_operation, traced

_PART, _LAST = 1, 2
_PARTS = bytes(_LAST if kind in COMPLETIONS else _PART if kind in OF_OPERATIONS else 0 for kind in range(256))
"""By kind: whether it is a part of an operation, and its completion."""


class Operations:
    """Of operations that went straight, or were repeated alone, how they went, of others all that happened; what was
    done with hellos, and with messages of nobody."""

    def __init__(self) -> None:
        self.courses = Courses()
        self.hellos: list[Event] = []
        self.strangers: list[Event] = []
        self._open: dict[Operation, list[Row]] = {}
        """The others."""
        self._alone = Alone()
        self._again: set[Operation] = set()
        """Of their courses something was known, and something more came: what came before is to be read again."""

    def see(self, block: Block) -> None:
        """The next ones."""
        get = self._open.get
        for part, row in zip(block.kinds.translate(_PARTS), block.rows, strict=True):
            own = get(row[6:8]) or self._of(row)  # client, seq
            if part and own is not None:
                own.append(row)
                if part == _LAST:
                    self._end(row[6:8], own, self._alone.end(*row[6:8]))

    def _of(self, row: Row) -> list[Row] | None:
        """All that is known of its operation, if all is kept: else it is done with the event."""
        operation = client, seq = row[6:8]
        if not (client and seq):
            self._unnumbered(event_of(row))
        elif operation in self._open:
            return self._open[operation]
        elif operation in self.courses or operation in self._again:
            self._more(operation, row)
        else:
            self._alone.begin(client, seq)
            return self._open.setdefault(operation, [])
        return None

    def _unnumbered(self, event: Event) -> None:
        if event.client:
            if event.kind is not Kind.TRIM:
                self.hellos.append(event)
        elif event.kind in OF_OPERATIONS:
            self.strangers.append(event)

    def _end(self, operation: Operation, own: Sequence[Row], alone: bool) -> None:
        found = course(own) or (repeated(own) if alone else None)
        if found is not None and self.courses.add(operation, found):
            del self._open[operation]

    def _more(self, operation: Operation, row: Row) -> None:
        if row[5] in OF_OPERATIONS and not (row[5] is Kind.EFFECT and self.courses.write(operation, row)):
            self.courses.take(operation)
            self._again.add(operation)

    def close(self, events: Iterable[Event]) -> None:
        """After all of them, which are read again if need be."""
        for operation in self.courses.unwritten():
            self.courses.take(operation)
            self._again.add(operation)
        if self._again:
            read = by_operation(event for event in events if (event[6], event[7]) in self._again)
            self._open |= {operation: [*own] for operation, own in read.items()}

    @property
    def crooked(self) -> dict[Operation, Trace]:
        """The operations of which all is kept, in the order of their first events."""
        found = {operation: traced(operation, [*map(event_of, own)]) for operation, own in self._open.items()}
        return dict(sorted(found.items(), key=lambda item: item[1].begun)) if self._again else found


class Passing:
    """What was seen in passing; None where it made no sense, which is for those to find who ask for it."""

    def __init__(self) -> None:
        self.receipts: Receipts | None = Receipts()
        self.firsts: Firsts | None = Firsts()
        self.rows: Rows | None = Rows()
        looks = self.receipts.looks.keys() | self.firsts.looks.keys() | self.rows.looks.keys()
        self._looked_at = bytes(kind in looks for kind in range(256))

    def see(self, block: Block) -> None:
        """The next ones."""
        rows = compress(block.rows, block.kinds.translate(self._looked_at))
        try:
            pass_by(rows, *(each for each in (self.receipts, self.firsts, self.rows) if each))
        except (TypeError, ValueError, KeyError):
            self.receipts = self.firsts = self.rows = None


class Columns:
    """Of each event, by its order: its kind, and the place of its process in `lives`. `in_time`: whether no clock ever
    went back, of all together."""

    def __init__(self) -> None:
        self.kinds, self.life = bytearray(), array("I")
        self.lives: dict[Life | None, int] = defaultdict(count(1).__next__, {None: 0})
        """None has what was collected."""
        self.first: dict[int, int] = {}
        self.last: dict[int, int] = {}
        """Place in `lives` -> the order of its first event, and of its last."""
        self.in_time = True
        self._latest: list[int] = []

    def see(self, block: Block) -> None:
        """The next ones."""
        kinds, times, begun = block.kinds, block.times, len(self.kinds)
        lives: Iterable[Life | None] = zip(block.nodes, block.epochs, strict=True)
        if any(kind in kinds for kind in COLLECTED):
            journalled = [kind not in COLLECTED for kind in kinds]
            lives = [life if own else None for life, own in zip(lives, journalled, strict=True)]
            times = [*compress(times, journalled)]
        own = [*map(self.lives.__getitem__, lives)]
        times = [*self._latest, *times]
        self.kinds.extend(kinds)
        self.life.extend(own)
        for number in set(own):
            self.first.setdefault(number, begun + own.index(number))
            self.last[number] = begun + len(own) - 1 - own[::-1].index(number)
        self.in_time = self.in_time and times == sorted(times)
        self._latest = times[-1:]

    def of_kind(self, kind: Kind) -> array[int]:
        """The orders of its events."""
        found, order = array("I"), self.kinds.find(kind)
        while order >= 0:
            found.append(order)
            order = self.kinds.find(kind, order + 1)
        return found

    def of_life(self, number: int) -> array[int]:
        """The orders of its events."""
        return array("I", [order for order, of in enumerate(self.life) if of == number])


class OfLife(Sequence[int]):
    """The orders of what one process journalled, sought when more is asked for than its two ends."""

    def __init__(self, columns: Columns, number: int) -> None:
        self._columns, self._number = columns, number

    @cached_property
    def _all(self) -> Sequence[int]:
        return self._columns.of_life(self._number)

    @overload
    def __getitem__(self, place: int) -> int: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[int]: ...
    def __getitem__(self, place: int | slice) -> int | Sequence[int]:
        if place in (0, -1):
            return (self._columns.last if place else self._columns.first)[self._number]
        return self._all[place]

    def __iter__(self) -> Iterator[int]:
        return iter(self._all)

    def __len__(self) -> int:
        return len(self._all)

    def __bool__(self) -> bool:
        return True


class OfKinds(Mapping[Kind, Sequence[Event]]):
    """Events that are not held, by their kind."""

    def __init__(self, events: Stored, columns: Columns) -> None:
        self._events, self._columns = events, columns
        self._found: dict[Kind, Picked] = {}

    def __getitem__(self, kind: Kind) -> Sequence[Event]:
        if kind not in self._found:
            self._found[kind] = Picked(self._events, self._columns.of_kind(kind))
        return self._found[kind]

    def __iter__(self) -> Iterator[Kind]:
        return map(Kind, sorted(set(self._columns.kinds)))

    def __len__(self) -> int:
        return len(set(self._columns.kinds))
