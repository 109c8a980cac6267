"""PURE: faults on processes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from chaos.faults.fault import Fault
from chaos.faults.models import Model
from chaos.faults.surroundings import ForeignLink, Surroundings, operations
from chaos.faults.window import A_DURATION, Milliseconds, TriggerText
from chaos.problem import Problem, names
from nodes.failpoints import Name

OUTSIDE_TRANSACTIONS: tuple[Name, ...] = ("received", "after-commit", "before-send", "after-send")
"""Failpoints at which a server holds no lock on its ledger."""


@dataclass(frozen=True, kw_only=True)
class Restart:
    """How a killed node comes back: after a time or a trigger (both: the trigger, then the time)."""

    after: Milliseconds = 0
    when: TriggerText | None = None
    state: Literal["keep", "archive"] = "keep"


@dataclass(frozen=True, kw_only=True)
class ProcessFault(Fault):
    """At a failpoint of one operation in one epoch, or by `when`/`after`."""

    at: Name | None = None
    operation: int | None = None
    client: int = 1
    attempt: int = 1
    epoch: int = 1
    nth: int | None = None

    deadly: ClassVar[bool]
    """Whether the process is dead, and not stopped."""
    no_client: ClassVar[str]
    """Why a client is not its target."""

    if TYPE_CHECKING:

        @property
        def restart(self) -> Restart | None: ...

    @property
    def title(self) -> str:
        return f"{self.verb} at {self.at}" if self.at else self.verb

    @property
    def on_process(self) -> ProcessFault:
        return self

    @property
    def target(self) -> str:
        """The node that it hits."""
        return str(getattr(self, self.verb))

    def problems(self) -> Iterator[Problem]:
        if self.at is not None and (self.when is not None or self.after is not None):
            yield Problem(("at",), "a failpoint and a time; expected at alone, or when and after")
        if self.at is not None and (self.operation is None) == (self.nth is None):
            yield Problem(("at",), "expected either the operation or the nth passage to act at")
        if self.operation is not None:
            for key in ("attempt", "epoch"):
                if getattr(self, key) < 1:
                    yield Problem((key,), "counts from 1")
        if self.restart is not None and self.restart.after < 0:
            yield Problem(("restart", "after"), f"expected {A_DURATION}; found {self.restart.after}")
        if self.at is None and self.when is None and self.after is None:
            yield Problem((), f"nothing says when to {self.verb}; expected at, when or after")
        if self.at is None and (self.operation is not None or self.nth is not None):
            yield Problem((), "an operation or an nth without a failpoint; expected at")

    @property
    def numbers(self) -> tuple[int, ...]:
        return () if self.operation is None else (self.operation,)

    def problems_in(self, cell: Surroundings) -> Iterator[Problem]:
        servers = names(cell.servers)
        if self.target in cell.clients:
            message = f"{self.target!r} is a client, and {self.no_client}; {self.verb} takes a server: {servers}"
            yield Problem((self.verb,), message)
        elif self.target not in cell.servers:
            yield Problem((self.verb,), f"no server {self.target!r}; expected one of {servers}")
        elif self.operation is not None:
            yield from self._operation(cell, self.operation)

    def _operation(self, cell: Surroundings, operation: int) -> Iterator[Problem]:
        sources = [link.source for link in cell.links if link.target == self.target]
        if not sources:
            yield Problem(("operation",), f"nobody calls {self.target!r}")
        elif (caller := cell.clients.get(sources[0])) is not None:
            yield from operations(caller, (operation,), ("operation",))
            if not 1 <= self.client <= caller.clients:
                yield Problem(("client",), f"client process {self.client} of {caller.clients}")

    def problems_in_system(self, link: ForeignLink | None) -> Iterator[Problem]:
        if self.at is not None:
            yield Problem(("at",), "a system that is not ours has no failpoints; expected when or after")
        if not self.deadly and self.restart is not None:
            yield Problem(("restart",), "a service that is paused goes on; expected lasts")
        if self.restart is not None and self.restart.state != "keep":
            yield Problem(("restart", "state"), "a service comes back with what its volumes hold; expected keep")


@dataclass(frozen=True, kw_only=True)
class Kill(ProcessFault):
    """SIGKILL. At a failpoint the node journals the line and kills itself."""

    kill: str
    restart: Restart | None = None

    verb: ClassVar[str] = "kill"
    lasting: ClassVar[bool] = False
    deadly: ClassVar[bool] = True
    no_client: ClassVar[str] = "one that dies forgets its calls: it keeps no log of what was wanted"

    def models(self, *, datagrams: bool, packets: bool) -> tuple[Model, ...]:
        lost = self.restart is not None and self.restart.state == "archive"
        return ("server-crash", "history-loss") if lost else ("server-crash",)

    def problems(self) -> Iterator[Problem]:
        if self.lasts is not None:
            yield Problem(("lasts",), "a kill does not last; expected restart: {after: ...}")
        yield from super().problems()


@dataclass(frozen=True, kw_only=True)
class Pause(ProcessFault):
    """SIGSTOP, and SIGCONT after `lasts`, or at heal without it.

    With `restart` the next epoch is started while this one is stopped, which wakes beside its successor.
    """

    pause: str
    restart: Restart | None = None

    verb: ClassVar[str] = "pause"
    deadly: ClassVar[bool] = False
    no_client: ClassVar[str] = "one that is stopped looks late with nothing done to its messages"

    def models(self, *, datagrams: bool, packets: bool) -> tuple[Model, ...]:
        return ("delay",) if self.restart is None else ("server-crash",)

    def problems(self) -> Iterator[Problem]:
        if self.restart is not None and self.at not in OUTSIDE_TRANSACTIONS:
            expected = f"expected at one of {names(OUTSIDE_TRANSACTIONS)}"
            message = f"a process stopped inside a transaction keeps its successor out; {expected}"
            yield Problem(("restart",), message)
        if self.restart is not None and self.restart.state != "keep":
            message = "the one that was stopped still has the ledger open; expected keep"
            yield Problem(("restart", "state"), message)
        yield from super().problems()

    def problems_in(self, cell: Surroundings) -> Iterator[Problem]:
        for link in cell.links:
            if self.restart is not None and link.target == self.pause and link.via == "direct":
                message = f"link {link.name} is direct, and two processes cannot have its one address"
                yield Problem(("restart",), f"{message}; expected via: relay")
        others = (fault.on_process for fault in cell.faults)
        succeeded = any(one and not one.deadly and one.target == self.pause and one.restart for one in others)
        if succeeded and not self.restart and self.at is not None and self.at not in OUTSIDE_TRANSACTIONS:
            expected = f"expected at one of {names(OUTSIDE_TRANSACTIONS)}, or no successor of {self.pause!r}"
            yield Problem(("at",), f"a process stopped inside a transaction keeps its successor out; {expected}")
        yield from super().problems_in(cell)
