"""One epoch's records, and its failpoints: the simulator's witness.

Between two yields a program runs alone in its process, and touches nothing outside it but its journal and its ledger.
So where a process stops at a failpoint in the midst of a step, the simulator lets the step end and puts off what of it
can be seen: the records, the ledger's writes and the failpoints behind that one come about when the process goes on,
and never if it is killed before.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Any

from nodes.engines.sim import Host, World
from nodes.failpoints import Failpoint, Failpoints
from nodes.wire.record import Kind, Record, start_detail

DOMAIN = "sim"


class SimJournal:
    """Sealed when the epoch has ended. `told` hears at which fault's failpoint the process has stopped."""

    def __init__(self, world: World, host: Host, told: Callable[[int], None] = lambda fault: None) -> None:
        self.records: list[Record] = []
        self.armed = Failpoints()
        self.sealed = False
        self.fired: int | None = None
        """The fault whose failpoint ended the epoch."""
        self._timeline = world.timeline
        self._host = host
        self._told = told
        self._later: deque[Callable[[], None]] | None = None
        """What is put off; None: nothing is."""

    @property
    def stopped(self) -> bool:
        """Whether it stands at a failpoint."""
        return self._later is not None

    def perform(self, act: Callable[[], None]) -> None:
        """Now, or when the process goes on."""
        if self._later is None:
            act()
        else:
            self._later.append(act)

    def note(
        self,
        kind: Kind,
        client: int = 0,
        seq: int = 0,
        attempt: int = 0,
        process: int = 0,
        detail: dict[str, Any] | None = None,
    ) -> None:
        if self.sealed:  # a dead process's programs are unwound later, and must not bear witness
            return
        if self._later is None:
            fields = (self._timeline.now, kind, client, seq, attempt, process, detail)
            self.records.append(tuple.__new__(Record, fields))  # for each line of a run: `Record` takes twice as long
        else:
            self._later.append(partial(self.note, kind, client, seq, attempt, process, detail))

    def passage(self, name: str, client: int, seq: int, attempt: int) -> None:
        if name not in self.armed.names:
            return
        fired = self.armed.passage(name, client, seq, attempt)
        if fired is None:
            return
        self.note(Kind.FAILPOINT, client, seq, attempt, detail=fired.detail)
        if self._later is None and fired.act == "die":
            self.fired = fired.fault
            self._host.die()
        self.perform(partial(self._strike, fired))

    def _strike(self, fired: Failpoint) -> None:
        if fired.act == "stop":
            self._later = deque()
            self._host.pause()
            self._told(fired.fault)
        else:
            self.fired = fired.fault
            self._host.crash()

    def go_on(self) -> None:
        """What was put off comes about, until the process ends, or stops once more."""
        later, self._later = self._later or deque(), None
        while later and not (self.sealed or self.stopped):
            later.popleft()()
        if self._later is not None:
            self._later.extend(later)

    def start(self, name: str, epoch: int, role: str, incarnation: int, history: int) -> None:
        detail = start_detail(
            name,
            epoch,
            role,
            engine="sim",
            domain=DOMAIN,
            evidence="sim",
            pid=0,
            incarnation=incarnation,
            history=history,
        )
        self.note(Kind.START, detail=detail)
