"""PURE: a fault of each word, drawn by chance for a cell, beside those that it has.

What is drawn need not make sense: a cell that has it is asked for its problems, and drawn again. Numbers are small and
times short, since a call takes a millisecond or two: what is to meet one has to come early.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar, get_args

from chaos.faults.fault import Fault
from chaos.faults.messages import Corrupt, Cut, Delay, Drop, Duplicate, Hold, Reorder, Slice, Truncate
from chaos.faults.paths import Partition, Rate
from chaos.faults.processes import OUTSIDE_TRANSACTIONS, Kill, Pause, Restart
from chaos.faults.window import BOTH, Directions
from nodes.failpoints import NAMES, Name
from orchestrator.scenario.cell import AnyLink, Client

if TYPE_CHECKING:
    from random import Random

T = TypeVar("T")
SOON = (0, 0, 1, 2, 3, 5, 8, 20, 70, 150)
"""Milliseconds into the load."""
LONG = (5, 20, 70, 150, 400, None)
"""Milliseconds that a fault is on, or a process away; None: until heal."""
WAYS: tuple[Directions, ...] = get_args(Directions)


class Place(NamedTuple):
    """Where a fault is drawn for: a link, and the client that calls over it. `returns`: how many faults that were
    drawn before make its server end, and come back."""

    random: Random
    link: AnyLink
    client: Client
    returns: int = 0

    def one(self, *values: T) -> T:
        return self.random.choice(values)

    def often(self, likely: float) -> bool:
        return self.random.random() < likely

    @property
    def operation(self) -> int:
        """One that can meet a fault."""
        return self.random.randint(1, max(1, self.client.last_before_heal))

    @property
    def trigger(self) -> str:
        """Something that a client or its server does."""
        source, target = self.link.source, self.link.target
        if self.returns and self.often(0.5):
            return self.one(f"{target} ready 2", f"{target} down 1")
        return f"{source} {self.one('attempt', 'attempt', 'ok', 'end')} {self.operation}"

    @property
    def epoch(self) -> int:
        """The first, or one that others bring; the last of them needs all that was kept."""
        last = self.returns + 1
        return self.one(1, 1, *range(1, last), *(last,) * self.returns) if self.returns else 1

    @property
    def window(self) -> dict[str, Any]:
        """From when, and for how long."""
        begin: dict[str, Any] = self.one({}, {"after": self.one(*SOON)}, {"when": self.trigger})
        return {**begin, "lasts": self.one(*LONG)}

    @property
    def moment(self) -> dict[str, Any]:
        """When something is done to a process from outside."""
        return {"after": self.one(*SOON)} if self.often(0.5) else {"when": self.trigger}

    def passage(self, *names: Name) -> dict[str, Any]:
        """Where a process does it to itself: at one of these failpoints."""
        at: dict[str, Any] = {"at": self.one(*names), "epoch": self.epoch}
        if self.often(0.2):
            return {**at, "nth": self.random.randint(1, 6)}
        client = self.random.randint(1, self.client.clients)
        late = max(self.operation, self.operation)  # what has done more has more to forget
        return {**at, "operation": late, "client": client, "attempt": self.one(1, 1, 1, 1, 2)}

    @property
    def messages(self) -> dict[str, Any]:
        """Which of a link's messages."""
        last = max(1, self.client.last_before_heal)
        some = sorted(self.random.sample(range(1, last + 1), min(last, self.one(1, 1, 2, 3))))
        chosen: dict[str, Any] = self.one(
            {"operations": tuple(some)},
            {"operations": tuple(some)},
            {"operations": tuple(some)},
            {"every": self.one(1, 2)},
            {"probability": self.one(0.3, 0.6)},
            {},
        )
        if self.client.clients > 1 and self.often(0.3):
            chosen["clients"] = (self.random.randint(1, self.client.clients),)
        return {**chosen, "link": self.link.name, "attempt": self.one(1, 1, 1, 2, "all")}

    @property
    def restart(self) -> Restart | None:
        if self.often(0.15):
            return None
        state = self.one("keep", "keep", "keep", "keep", "archive")
        if self.often(0.15):
            return Restart(after=0, when=f"{self.link.source} attempt {self.operation}", state=state)  # type: ignore[arg-type]
        return Restart(after=self.one(0, 0, 20, 100, 250), state=state)  # type: ignore[arg-type]


def _kill(place: Place) -> Fault:
    when = place.moment if place.often(0.25) else place.passage(*NAMES)
    return Kill(kill=place.link.target, restart=place.restart, **when)


def _pause(place: Place) -> Fault:
    """Of those at a failpoint half have a successor that is started meanwhile."""
    target, lasts = place.link.target, place.one(*LONG)
    if place.often(0.5):
        return Pause(pause=target, lasts=lasts, **place.moment)
    if place.often(0.5):
        return Pause(pause=target, lasts=lasts, **place.passage(*NAMES))
    restart = Restart(after=place.one(0, 0, 20, 100))
    return Pause(pause=target, lasts=lasts, restart=restart, **place.passage(*OUTSIDE_TRANSACTIONS))


def _hold(place: Place) -> Fault:
    until = place.trigger if place.often(0.7) else None
    return Hold(hold=place.one(*BOTH), until=until, **place.messages)


def _duplicate(place: Place) -> Fault:
    if place.often(0.3):
        return Duplicate(duplicate="reply", **place.messages)
    later = ("next-epoch",) * 6 if place.returns else ()
    copy: Any = place.one("behind", "behind", "at-reply", "after-trim", *later)
    return Duplicate(duplicate="request", copy=copy, **place.messages)


def _delay(place: Place) -> Fault:
    by, jitter = place.one(1, 2, 5, 40, 70, 160, 300), place.one(0, 0, 5, 60)
    return Delay(delay=place.one(*BOTH), by=by, jitter=jitter, **place.messages)


def _cut(place: Place) -> Fault:
    return Cut(cut=place.one("before", "within", "after"), of=place.one(*BOTH), **place.messages)


def _slice(place: Place) -> Fault:
    return Slice(slice=place.one(*BOTH), size=place.one(4, 20, 60), gap=place.one(1, 5, 40), **place.messages)


def _partition(place: Place) -> Fault:
    return Partition(partition=place.one(*WAYS), link=place.link.name, **place.window)


def _rate(place: Place) -> Fault:
    """It ends by itself: what is sent again behind a slow path until heal makes one run as long as a hundred others."""
    speed = place.one(300, 2_000, 20_000)
    window = {**place.window, "lasts": place.one(*LONG[:-1])}
    return Rate(rate=place.one(*WAYS), link=place.link.name, bytes_per_second=speed, **window)


def _reorder(place: Place) -> Fault:
    """Of one attempt: where each waits for the next that is sent, all are sent until heal."""
    return Reorder(reorder=place.one(*BOTH), **{**place.messages, "attempt": place.one(1, 1, 1, 2)})


DRAWN: Mapping[str, Callable[[Place], Fault]] = MappingProxyType(
    {
        "drop": lambda place: Drop(drop=place.one(*BOTH), **place.messages),
        "duplicate": _duplicate,
        "reorder": _reorder,
        "hold": _hold,
        "delay": _delay,
        "corrupt": lambda place: Corrupt(corrupt=place.one(*BOTH), **place.messages),
        "truncate": lambda place: Truncate(truncate=place.one(*BOTH), **place.messages),
        "cut": _cut,
        "slice": _slice,
        "partition": _partition,
        "rate": _rate,
        "kill": _kill,
        "pause": _pause,
    }
)
"""Verb -> a fault of it. Every one that the simulator can do is here."""
AGAIN_AND_AGAIN = 0.15
"""Of the cells with a kill so many have three: what a server keeps must outlive more than its next crash."""
LIKELY: Mapping[str, int] = MappingProxyType(
    {"drop": 4, "duplicate": 8, "kill": 6, "pause": 2, "reorder": 2, "hold": 4, "cut": 2}
)
"""How much more often than the others those are drawn that most mechanisms are built against."""
