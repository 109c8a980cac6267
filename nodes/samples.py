"""PURE: what a server tells of what it uses, again and again while it runs, and of what its connections went through.

Rules of this file:

1. A count never falls, and is of this process: a successor begins again.
2. Nothing here is on the path of a call. Connections are counted as they are accepted; who takes no answers is looked
   for at each sample.
3. An answer for which there was no room is one that is being sent at three samples running: at two a process that got
   no CPU in between could have it on its way too.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple, Protocol

from nodes.ops import Now, Program, Send, SendTo, Sleep, Socket
from nodes.wire.record import Kind, Witness

PERIOD = 100_000_000
"""Nanoseconds between two samples: an idle server uses some thousandths of a CPU for them."""
STAYS = 3
"""Samples (rule 3)."""


class Spent(NamedTuple):
    """Nanoseconds of CPU, and context switches; None where the system does not count them."""

    cpu: int
    voluntary: int | None
    involuntary: int | None


class Meter(Protocol):
    """What only the process itself can be asked. `shared`: whether what connections do is done in this process."""

    shared: bool

    def spent(self) -> Spent: ...

    def number(self, socket: Socket) -> int:
        """Of its descriptor."""

    def overflows(self, listeners: Iterable[Socket]) -> int | None:
        """Connections that the kernel dropped since their accept queue was full; None where it does not say."""


class Outbox(Protocol):
    """What is sent to one peer, one after another: `sending` is what is being sent now."""

    sending: Send | SendTo | None


class Tally:
    """What a server's connections go through. `refused`: how often accept(2) found no room for one; `reused`: how many
    had the descriptor of an earlier one; `full`: how many answers their peers took no more of."""

    def __init__(self, meter: Meter | None = None) -> None:
        self.accepted = self.ended = self.refused = self.reused = self.full = 0
        self.listeners: list[Socket] = []
        self.meter = meter
        self._numbers: set[int] = set()
        self._outboxes: set[Outbox] = set()
        self._sending: dict[Outbox, tuple[object, int]] = {}

    def accept(self, socket: Socket) -> None:
        self.accepted += 1
        if self.meter is not None:
            number = self.meter.number(socket)
            self.reused += number in self._numbers
            self._numbers.add(number)

    def open(self, outbox: Outbox) -> None:
        self._outboxes.add(outbox)

    def close(self, outbox: Outbox) -> None:
        self.ended += 1
        self._outboxes.discard(outbox)

    def look(self) -> None:
        """For answers that are being sent, and were so at the last looks too: each is counted once."""
        sending: dict[Outbox, tuple[object, int]] = {}
        for outbox in self._outboxes:
            if outbox.sending is not None:
                before, times = self._sending.get(outbox, (None, 0))
                times = times + 1 if before is outbox.sending else 1
                self.full += times == STAYS
                sending[outbox] = outbox.sending, times
        self._sending = sending


class Sampler:
    """Journals samples until it is told to end."""

    def __init__(self, witness: Witness, meter: Meter, tally: Tally) -> None:
        self._witness = witness
        self._meter = meter
        self._tally = tally
        self._ended = False

    def program(self) -> Program:
        while not self._ended:
            self._note()
            now = yield Now()
            yield Sleep(now + PERIOD)

    def end(self) -> None:
        """With the last one."""
        self._ended = True
        self._note()

    def _note(self) -> None:
        tally, meter = self._tally, self._meter
        tally.look()
        detail = {
            **meter.spent()._asdict(),
            "accepted": tally.accepted,
            "ended": tally.ended if meter.shared else None,
            "refused": tally.refused,
            "full": tally.full if meter.shared else None,
            "overflows": meter.overflows(tally.listeners),
            "reused": tally.reused,
        }
        self._witness.note(Kind.USAGE, detail=detail)
