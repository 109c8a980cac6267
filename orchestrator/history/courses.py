"""PURE: how many operations went, in columns: a hundred bytes each, of which a long history has a million."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Collection, ItemsView, Iterator, Mapping, ValuesView
from copy import copy
from typing import Any

from nodes.services import has_effect
from orchestrator.history.merged import Operation, Row
from orchestrator.history.straight import Course, Lost, Place, is_row

SPARSE = 1_000
"""So far may a client's number be above twice its others'; one that is further has no room."""
_NUMBERS = range(-(2**63), 2**63)
_new = tuple.__new__  # a named tuple's own way checks what is known here already

Shape = tuple[Place, tuple[Any, Any], Lost | None]
"""What many have in common: where they were, what was asked for, what was lost of them."""


class Courses(Mapping[Operation, Course]):
    """In the order in which they came here."""

    def __init__(self) -> None:
        self._operations: list[Operation | None] = []
        """None: it was taken away."""
        self._places: dict[int, array[int]] = {}
        """Client -> by number of the operation its place above, counted from 1."""
        self._shapes: list[Shape] = []
        self._known: dict[tuple[Place, str, Lost | None], int] = {}
        self._shape = array("I")
        self._invoked, self._sent, self._received, self._completed = array("I"), array("I"), array("I"), array("I")
        self._first, self._intent, self._number = array("q"), array("q"), array("q")
        self._results: list[Any] = []
        self._row, self._again = array("I"), array("I")
        self._hidden: Collection[Operation] = frozenset()
        self._count = 0

    def add(self, operation: Operation, course: Course) -> bool:
        """Whether there is room for it: there is none for numbers that are none, or far from all others."""
        place, invoked, sent, received, completed, first, intent, asked, number, result, row, again, lost = course
        if not (type(first) is type(intent) is type(number) is int and self._room(*operation)):
            return False
        if not (first in _NUMBERS and intent in _NUMBERS and number in _NUMBERS):
            return False
        self._operations.append(operation)
        self._places[operation[0]][operation[1]] = len(self._operations)
        self._shape.append(self._shape_of(place, asked, lost))
        self._invoked.append(invoked)
        self._sent.append(sent)
        self._received.append(received)
        self._completed.append(completed)
        self._first.append(first)
        self._intent.append(intent)
        self._number.append(number)
        self._results.append(result)
        self._row.append(row)
        self._again.append(again)
        self._count += 1
        return True

    def _room(self, client: int, seq: int) -> bool:
        places = self._places.setdefault(client, array("I"))
        if seq >= len(places):
            if seq > 2 * len(places) + SPARSE:
                return False
            places.frombytes(bytes(places.itemsize * (seq + 1 - len(places))))
        return seq > 0

    def _shape_of(self, place: Place, asked: tuple[Any, Any], lost: Lost | None) -> int:
        key = place, repr(asked), lost
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = len(self._shapes)
            self._shapes.append((place, asked, lost))
        return found

    def write(self, operation: Operation, row: Row) -> bool:
        """Whether it is here, waits for its row, and that is it: then it has it."""
        n = self._place(operation)
        if n < 0 or self._row[n]:
            return False
        place, asked, _ = self._shapes[self._shape[n]]
        if not has_effect(asked[0]) or not is_row(row, place, self._number[n], self._results[n], self._intent[n]):
            return False
        self._row[n] = row[0]
        return True

    def take(self, operation: Operation) -> Course | None:
        """It is here no longer."""
        found = self.get(operation)
        if found is not None:
            self._operations[self._place(operation)] = None
            self._places[operation[0]][operation[1]] = 0
            self._count -= 1
        return found

    def without(self, hidden: Collection[Operation]) -> Courses:
        """Those but these, which are among them."""
        found = copy(self)
        found._hidden, found._count = hidden, self._count - len(hidden)
        return found

    def _place(self, operation: Operation) -> int:
        """Below 0 if it is not here."""
        client, seq = operation
        places = self._places.get(client, ())
        return places[seq] - 1 if 0 < seq < len(places) else -1

    def __getitem__(self, operation: Operation) -> Course:
        n = self._place(operation)
        if n < 0 or operation in self._hidden:
            raise KeyError(operation)
        place, asked, lost = self._shapes[self._shape[n]]
        orders = self._invoked[n], self._sent[n], self._received[n], self._completed[n]
        said = self._first[n], self._intent[n], asked, self._number[n], self._results[n]
        return _new(Course, (place, *orders, *said, self._row[n], self._again[n], lost))

    def repeated(self, operation: Operation) -> bool:
        """Whether it is here, and was."""
        n = self._place(operation)
        return n >= 0 and operation not in self._hidden and self._shapes[self._shape[n]][2] is not None

    def __contains__(self, operation: object) -> bool:
        return type(operation) is tuple and self._place(operation) >= 0 and operation not in self._hidden

    def __iter__(self) -> Iterator[Operation]:
        hidden = self._hidden
        return (each for each in self._operations if each is not None and each not in hidden)

    def __len__(self) -> int:
        return self._count

    def asked(self, operation: Operation, row: int) -> tuple[Any, Any] | None:
        """The procedure and the argument, if that is the order of its row."""
        n = self._place(operation)
        known = n >= 0 and self._row[n] == row and operation not in self._hidden
        return self._shapes[self._shape[n]][1] if known else None

    def invokes(self) -> Iterator[tuple[int, Operation]]:
        """The order at which each was invoked."""
        hidden, found = self._hidden, zip(self._invoked, self._operations, strict=True)
        return ((n, each) for n, each in found if each is not None and each not in hidden)

    def spans(self) -> Iterator[tuple[Operation, int, int]]:
        """The orders at which each was invoked and completed."""
        hidden, found = self._hidden, zip(self._operations, self._invoked, self._completed, strict=True)
        return (
            (each, invoked, completed) for each, invoked, completed in found if each is not None and each not in hidden
        )

    def receipts(self, node: str, epoch: int) -> Iterator[tuple[int, Operation]]:
        """The orders at which their copies were received by that process."""
        mine = {n for n, (place, _, _) in enumerate(self._shapes) if (place.server, place.epoch) == (node, epoch)}
        ways = zip(self._shape, self._operations, self._received, self._again, strict=True)
        for n, operation, received, again in ways:
            if n in mine and operation is not None and operation not in self._hidden:
                yield received, operation
                if again:
                    yield again, operation

    def unwritten(self) -> list[Operation]:
        """Those with an effect that have no row."""
        effects = [has_effect(asked[0]) for _, asked, _ in self._shapes]
        without = (n for n, row in enumerate(self._row) if not row)
        found = ((effects[self._shape[n]], self._operations[n]) for n in without)
        return [operation for effect, operation in found if effect and operation is not None]

    def examples(self) -> Iterator[tuple[Operation, Lost | None, bool, int]]:
        """One of each kind: whether it has an effect, and how many there are."""
        counts: Counter[int] = Counter()
        first: dict[int, Operation] = {}
        for shape, operation in zip(self._shape, self._operations, strict=True):
            if operation is not None and operation not in self._hidden:
                first.setdefault(shape, operation)
                counts[shape] += 1
        for shape, operation in first.items():
            _, asked, lost = self._shapes[shape]
            yield operation, lost, has_effect(asked[0]), counts[shape]

    def items(self) -> ItemsView[Operation, Course]:
        return _Items(self)

    def values(self) -> ValuesView[Course]:
        return _Values(self)

    def each(self) -> Iterator[tuple[Operation, Course]]:
        hidden, shapes = self._hidden, self._shapes
        columns = (self._shape, self._invoked, self._sent, self._received, self._completed, self._first, self._intent)
        more = (self._number, self._results, self._row, self._again)
        for operation, shape, *orders, first, intent, number, result, row, again in zip(
            self._operations, *columns, *more, strict=True
        ):
            if operation is not None and operation not in hidden:
                place, asked, lost = shapes[shape]
                yield operation, _new(Course, (place, *orders, first, intent, asked, number, result, row, again, lost))


class _Items(ItemsView[Operation, Course]):
    def __init__(self, courses: Courses) -> None:
        super().__init__(courses)
        self._courses = courses

    def __iter__(self) -> Iterator[tuple[Operation, Course]]:
        return self._courses.each()


class _Values(ValuesView[Course]):
    def __init__(self, courses: Courses) -> None:
        super().__init__(courses)
        self._courses = courses

    def __iter__(self) -> Iterator[Course]:
        return (course for _, course in self._courses.each())
