"""The standing attack on the judge: correct simulated histories of every shipped scenario, each with one thing altered.

A field of one event says something else, which may be of another type, or is not there; an event is missing, is there
twice, or is of another operation. What is then judged must not be `met` any more, unless UNJUDGED says that this is not
judged, and why; and nothing may crash but what the evidence gate tells of.

`python tests/scenarios/altered_histories.py --seed 2 --count 20000` (`make alterations`) prints what survives.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import suite
from altering import altered

from nodes.wire.record import Kind
from nodes.wire.transports import TRANSPORTS
from orchestrator.backends import named
from orchestrator.checkers.caps import CAPPED
from orchestrator.checkers.expect import judge
from orchestrator.checkers.verdict import Met
from orchestrator.history.merged import Event, History
from orchestrator.scenario.cell import Cell, SocketLink
from orchestrator.scenario.shipped import names, plans


class Altered(NamedTuple):
    """`what` was done to the event: a field's name ("detail.value", "without detail.value", "odd detail.value"), or
    removed, doubled, moved, node, kind."""

    cell: Cell
    history: History
    event: Event
    what: str

    @property
    def key(self) -> tuple[str, str]:
        return self.event.kind.name, self.what

    @property
    def unjudged(self) -> str:
        """Why that is not judged, "" if it is. What is not judged of a field, its lack is not either."""
        _, detail, field = self.what.rpartition("detail.")
        ways = [f"{way}{of}" for way in (self.what, detail + field) for of in ("", *self._of)]
        return next(
            (UNJUDGED[self.event.kind.name, way] for way in ways if (self.event.kind.name, way) in UNJUDGED), ""
        )

    @property
    def _of(self) -> Iterator[str]:
        """What some reasons ask of the event."""
        if self._dying:
            yield OF_WHO_WAS_KILLED
        if self.event.epoch > 1:
            yield OF_A_SUCCESSOR
        if self.event.detail.get("phase") in CAPPED:
            yield OF_A_CAP
        if any(TRANSPORTS[link.transport].bounded for link in self.cell.links):
            yield OF_A_DATAGRAM
            mine = (event for event in self.history.events if event.operation == self.event.operation)
            if not any(event.attempt == self.event.attempt and event.kind in (Kind.REPLY, Kind.END) for event in mine):
                yield OF_A_LOST_ONE

        if self._lost_echo:
            yield OF_A_LOST_ECHO

    @property
    def _lost_echo(self) -> bool:
        """Whether it is of a message on a socket whose echo nobody got."""
        mine = (event.kind for event in self.history.events if event.operation == self.event.operation)
        return any(isinstance(link, SocketLink) for link in self.cell.links) and Kind.REPLY not in mine

    @property
    def _dying(self) -> bool:
        """Whether it was the last one of a process that was killed."""
        of_process = (event for event in self.history.events if event.life == self.event.life)
        last = all(event.order < self.event.order for event in of_process if event.kind is not Kind.EFFECT)
        reaped = (event.detail for event in self.history.events if event.kind is Kind.REAPED)
        return last and any(end["signal"] and (end["node"], end["epoch"]) == self.event.life for end in reaped)

    def __str__(self) -> str:
        place = f"{self.event.node}.{self.event.epoch} {self.event.operation} attempt {self.event.attempt}"
        return f"{' '.join(self.key)}: {suite.name(self.cell)}: {place} {self.event.detail}"


OF_WHO_WAS_KILLED = " of who was killed then"
OF_A_LOST_ECHO = " of a lost echo"
OF_A_SUCCESSOR, OF_A_CAP = " of who came after a crash", " of a cap"
OF_A_DATAGRAM, OF_A_LOST_ONE = " of a datagram", " of a lost datagram"

UNJUDGED: dict[tuple[str, str], str] = {
    **{(kind.name, "time"): "nothing happened between it and its neighbours" for kind in Kind},
    (
        "RECEIVE",
        "detail.connection",
    ): "the server's own count of connections, which tells them apart",
    **{
        ("RECEIVE", f"{way}detail.reads"): "in which reads it came: what boundaries are tried by, and not judged by"
        for way in ("", "odd ", "without ")
    },
    ("ANSWER", f"detail.value{OF_A_LOST_ECHO}"): "it has no effect, and nobody was told",
    ("DECISION", "detail.connection"): "the hop's own count of connections, which tells them apart",
    ("REPLY", "detail.connection"): "a hello is sent without a record, which would say on what line",
    ("DECISION", "removed"): "the message it lost would have been lost without it",
    ("READY", "detail.addresses"): "where it listened: what came there is judged",
    ("REPLY", f"removed{OF_A_DATAGRAM}"): "datagrams may be lost wherever nobody writes them down",
    ("EXECUTE", f"removed{OF_WHO_WAS_KILLED}"): "it may have died before it began",
    ("TRIM", f"removed{OF_A_SUCCESSOR}"): "whether its predecessor's last mark was kept decides whether it comes again",
    ("PHASE", f"removed{OF_A_CAP}"): "what a cap cut off is told by the calls that were open, or not made, by then",
    ("END", "removed"): "of a call that ended with it, which is judged by the fault that ended it",
    ("SEND", f"detail.connection{OF_A_LOST_ONE}"): "of a datagram that was lost: nothing else was ever on that line",
    ("SEND", "detail.first"): "too low: the server forgets less than it could",
    ("START", "detail.pid"): "the operating system's number of a process that has a name",
    ("START", "detail.incarnation"): "of processes that are no servers nobody asks for it",
    ("END", "detail.error"): "a text for people; that it was no timeout of the client's own is judged",
    (
        "ATTEMPT",
        "detail.wait",
    ): "how long it would wait: drawn by chance, and asked of what nothing else explains",
    ("INFO", "detail.error"): "a text for people",
    ("FAIL", "detail.error"): "a text for people",
    ("UNCONNECTED", "detail.error"): "a text for people",
    ("LEDGER", "detail.ledger"): "the file's name, of a ledger without rows",
    **{
        ("BROKEN", what): "a message that does not decode is nobody's: how many there were is not judged"
        for what in ("removed", "doubled", "client", "node", "process", "detail.connection", "detail.reason")
    },
    ("BROKEN", "detail.size"): "a message that does not decode is nobody's: how large it was is not judged",
}
"""(kind, what) -> why the judge may not notice it."""


def correct(cells: int, seed: int) -> list[tuple[Cell, History]]:
    """Runs of so many cells of every scenario, drawn by the seed, that are met; broken variants are none of them."""
    drawn = random.Random(seed)
    chosen = []
    for name in names():
        found = [cell for cell in suite.applicable(plans([name])) if not any(named("sim").problems(cell))]
        found = [cell for cell in found if not any(link.variant for link in cell.links)]
        chosen += drawn.sample(found, min(cells, len(found)))
    ran = [
        (one.result.cell, one.history._replace(events=tuple(one.history.events))) for one in suite.run(chosen, "sim")
    ]
    return [(cell, history) for cell, history in ran if met(cell, history)]


def met(cell: Cell, history: History) -> bool:
    judgement = judge(cell, history)
    return not judgement.gate and all(found.verdict is Met.MET for found in judgement.expectations)


def alterations(runs: Sequence[tuple[Cell, History]], seed: int, count: int) -> Iterator[Altered]:
    """So many; each kind of record in a run has the same chance."""
    drawn = random.Random(seed)
    for _ in range(count):
        cell, history = drawn.choice(runs)
        events = history.events
        kind = drawn.choice(sorted({event.kind for event in events}))
        place = drawn.choice([n for n, event in enumerate(events) if event.kind is kind])
        what, found = altered(events, place, drawn)
        yield Altered(cell, history._replace(events=found), events[place], what)


def survivors(runs: Sequence[tuple[Cell, History]], seed: int, count: int) -> Iterator[Altered]:
    """Those that the judge did not notice."""
    return (one for one in alterations(runs, seed, count) if met(one.cell, one.history))


def main() -> int:
    given = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    given.add_argument("--seed", type=int, default=1)
    given.add_argument("--count", type=int, default=20_000)
    given.add_argument("--cells", type=int, default=8, help="of each scenario, at most")
    options = given.parse_args()
    runs = correct(options.cells, options.seed)
    known: Counter[tuple[tuple[str, str], str]] = Counter()
    found = 0
    for one in survivors(runs, options.seed, options.count):
        if one.unjudged:
            known[one.key, one.unjudged] += 1
            continue
        found += 1
        print(one)
    for (key, reason), times in sorted(known.items()):
        print(f"{times:6} {' '.join(key)}: {reason}")
    print(f"{options.count} alterations of {len(runs)} runs: {sum(known.values())} are not judged, {found} survived")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
