"""PURE: how a program waits for one message, lane by lane: what was seen, what it should have been, a picture.

Two questions are asked of each lane: does control return before there is data, and is the data in the program's memory
when it is told? Both are measured; the names that POSIX and IBM give the answers stand beside them (nodes/lanes).
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Literal, NamedTuple

from nodes.lanes.common.lane import Lane
from nodes.units import MILLISECOND
from orchestrator.report.table import Table
from orchestrator.scenario.value import Value

ORDER = ("called", "ready", "notified", "consumed")
"""Of the marks, those that come so in every lane."""
SIGNS = {"blocked": "-", "tries": ".", "work": "#"}
READY = "|"
LEGEND = "- blocked   . tries that say EAGAIN   # useful work   | the data is there"
SHORTEST_BAR = 20
QUADRANTS = (
    "synchronous blocking",
    "synchronous non-blocking",
    "asynchronous blocking",
    "-",
    "asynchronous non-blocking",
)
"""IBM's names, in the order in which lanes are told; one is in none of them."""
BY_ITS_CALL, ASKED_FOR, GIVEN = (
    "its call gives the data",
    "it is told, and has to ask for the data",
    "it is told, and has the data",
)


class Marks(Value):
    """Nanoseconds of one clock."""

    called: int
    returned: int
    ready: int
    notified: int
    consumed: int


class Seen(Value):
    """What one lane's process told; see nodes/lanes/__main__.py."""

    marks: Marks
    spans: tuple[tuple[Literal["blocked", "tries", "work"], int, int], ...]
    tries: int
    units: int
    copied: bool
    blocking: bool
    cpu: int
    voluntary: int
    involuntary: int

    @property
    def early(self) -> bool:
        return self.marks.returned < self.marks.ready

    @property
    def blocked(self) -> int:
        """Nanoseconds."""
        return sum(end - begin for kind, begin, end in self.spans if kind == "blocked")

    @property
    def took(self) -> int:
        return self.marks.consumed - self.marks.called


class Row(NamedTuple):
    """`seen` is None where it failed, or could not run, as `problem` says."""

    name: str
    lane: Lane
    seen: Seen | None
    problem: str = ""


def seen_of(lines: Sequence[str]) -> tuple[Seen | None, str]:
    """What a lane's process told: what was seen, or why it cannot be had there. Raises ValueError: neither."""
    (line,) = lines
    told = json.loads(line)
    return (None, str(told["missing"])) if "missing" in told else (Seen.model_validate_json(line), "")


def ordered(rows: Iterable[Row]) -> list[Row]:
    """By quadrant."""
    return sorted(rows, key=lambda row: (QUADRANTS.index(row.lane.ibm), row.name))


def grid(rows: Sequence[Row]) -> Table:
    """The lanes as they were seen: how they come to the data, and when control returns."""
    cells: dict[tuple[bool, str], list[str]] = {}
    for row in rows:
        if row.seen is not None:
            cells.setdefault((row.seen.early, _way(row.lane, row.seen)), []).append(row.name)
    return [
        ["", "control returns when there is data", "control returns at once"],
        *(
            [way, *(", ".join(cells.get((early, way), ["-"])) for early in (False, True))]
            for way in (BY_ITS_CALL, ASKED_FOR, GIVEN)
        ),
    ]


def _way(lane: Lane, seen: Seen) -> str:
    if lane.learns == "the call returns":
        return BY_ITS_CALL
    return GIVEN if seen.copied else ASKED_FOR


def deviations(row: Row) -> Iterator[str]:
    """What is not as it should be."""
    lane, seen = row.lane, row.seen
    if seen is None:
        return
    questions = (
        ("control returned before there was data", lane.early, seen.early),
        ("the data was in memory when it was told", lane.copied, seen.copied),
        ("a call said EAGAIN", lane.tries, seen.tries > 0),
        ("something useful was done meanwhile", lane.works, seen.units > 0),
        ("the descriptor blocks", lane.blocking, seen.blocking),
    )
    for what, wanted, found in questions:
        if wanted != found:
            yield f"{row.name}: {what}: {_yes(found)}; expected {_yes(wanted)}"
    order = [getattr(seen.marks, mark) for mark in ORDER]
    if order != sorted(order):
        yield f"{row.name}: {', '.join(ORDER)} came in another order: at {', '.join(map(str, order))}"


def picture(rows: Sequence[Row], width: int) -> Iterator[str]:
    """A bar for each lane, from its call to its message, all on one scale."""
    seen = [row.seen for row in rows if row.seen is not None]
    if not seen:
        return
    names = max(len(row.name) for row in rows)
    columns = max(SHORTEST_BAR, width - names - 2)
    scale = max(one.took for one in seen) / columns
    for row in rows:
        if row.seen is not None:
            yield f"{row.name:<{names}}  {_bar(row.seen, scale)}".rstrip()
    yield f"{'':<{names}}  {LEGEND}; a line is {scale * columns / MILLISECOND:.0f} ms"


def _bar(seen: Seen, scale: float) -> str:
    begun = seen.marks.called
    cells = [" "] * (int(seen.took / scale) + 1)
    for kind, begin, end in seen.spans:
        for column in range(max(0, int((begin - begun) / scale)), min(len(cells), int((end - begun) / scale) + 1)):
            cells[column] = SIGNS[kind]
    cells[max(0, min(len(cells) - 1, int((seen.marks.ready - begun) / scale)))] = READY
    return "".join(cells)


HEADS = (
    "lane", "POSIX", "IBM", "it learns by", "returned early", "in memory when told", "blocked ms", "EAGAIN", "work",
    "CPU ms", "switches", "told after us", "had after us",
)  # fmt: skip


def table(rows: Sequence[Row]) -> Table:
    """`switches` are voluntary and not, the last two columns count from when the data was there."""
    return [list(HEADS), *(_cells(row, row.seen) for row in rows if row.seen is not None)]


def _cells(row: Row, seen: Seen) -> list[str]:
    lane, marks = row.lane, seen.marks
    return [
        row.name,
        lane.posix,
        lane.ibm,
        lane.learns,
        _yes(seen.early),
        _yes(seen.copied),
        f"{seen.blocked / MILLISECOND:.1f}",
        str(seen.tries),
        str(seen.units),
        f"{seen.cpu / MILLISECOND:.1f}",
        f"{seen.voluntary}+{seen.involuntary}",
        f"{(marks.notified - marks.ready) / 1000:.0f}",
        f"{(marks.consumed - marks.ready) / 1000:.0f}",
    ]


def _yes(answer: bool) -> str:
    return "yes" if answer else "no"


def unknown(asked: Collection[str], known: Sequence[str]) -> str | None:
    """What is wrong with what was asked for."""
    wrong = sorted(set(asked) - set(known))
    return f"there is no lane {wrong[0]!r}; there are {', '.join(known)}" if wrong else None
