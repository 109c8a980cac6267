"""PURE: how the run's program begins and ends faults: a plane's rules, and what is done to processes."""

from __future__ import annotations

from chaos.faults.messages import Hold
from chaos.faults.processes import Kill, Pause, Restart
from chaos.faults.vocabulary import Fault
from chaos.planes.process import target
from chaos.supports import PlaneName
from nodes.ops import Now, Program
from nodes.wire.record import Kind
from orchestrator.run.agenda import Act
from orchestrator.run.attention import MILLISECOND, PATIENCE, Attention
from orchestrator.run.session import Session
from orchestrator.run.specs import plane_of, planes, starts_on
from orchestrator.scenario.cell import Cell

Life = tuple[str, int]
"""(node or plane, epoch): one process."""


class FaultActs(Attention):
    """The part of a conductor that knows which processes are stopped or are being killed."""

    def __init__(self, cell: Cell, session: Session) -> None:
        super().__init__(session)
        self._cell = cell
        self._planes = planes(cell)
        self._epochs = dict.fromkeys((*self._planes, *cell.servers, *cell.clients), 1)
        self._alive: set[Life] = set()
        self._stopped: set[Life] = set()
        self._paused: dict[Life, int] = {}
        """By which fault of the cell."""
        self._killing: dict[Life, Kill] = {}
        self._fired: dict[Life, int] = {}
        """Those that die at a failpoint of a fault of the cell, and are not reaped yet."""
        self._killed_by: dict[str, int] = {}
        self._down: dict[str, Restart | None] = {}
        self._launched: set[str] = set()
        self._on = {i for i, fault in enumerate(cell.faults) if plane_of(cell, fault) and starts_on(fault)}

    def _arm(self) -> Program:
        """Who waits for which trigger."""
        for index, fault in enumerate(self._cell.faults):
            if fault.when is not None:
                yield from self._agenda.when(fault.when, self._delayed(index, fault), begins_fault=True)
            if isinstance(fault, Hold) and fault.until is not None:
                yield from self._agenda.when(fault.until, self._release_hold(index))

    def _delayed(self, index: int, fault: Fault) -> Act:
        """A fault with a trigger and a time begins that long after the trigger."""
        if fault.after is None:
            return self._begin(index, fault)

        def act() -> Program:
            now = yield Now()
            self._agenda.at(now + (fault.after or 0) * MILLISECOND, self._begin(index, fault))

        return act

    def _begin(self, index: int, fault: Fault) -> Act:
        def act() -> Program:
            if isinstance(fault, (Kill, Pause)):
                if not (yield from self._strike(index, fault)):
                    return
            else:
                yield from self._switch(index, True)
            yield from self._begun(index, fault)

        return act

    def _begun(self, index: int, fault: Fault) -> Program:
        """It is on: who waits for that goes on, and its end is planned."""
        if fault.name:
            yield from self._agenda.occur(f"{fault.name} on")
        if fault.lasts is not None:
            now = yield Now()
            self._agenda.at(now + fault.lasts * MILLISECOND, self._cease(index, fault))

    def _cease(self, index: int, fault: Fault) -> Act:
        def act() -> Program:
            if isinstance(fault, Pause):
                for life in [life for life, by in self._paused.items() if by == index]:
                    self._resume(life)
            else:
                yield from self._switch(index, False)
            if fault.name:
                yield from self._agenda.occur(f"{fault.name} off")

        return act

    # Processes

    def _strike(self, index: int, fault: Kill | Pause) -> Program:
        """Kill or stop the process -> whether it was one to do that to; if it was not, that is noted."""
        name = target(fault)
        obstacle = self._obstacle(name, fault)
        if not obstacle and isinstance(fault, Pause):
            obstacle = yield from self._pause(name, index)
        elif not obstacle and isinstance(fault, Kill):
            self._act("kill", name, index)
            self._killing[name, self._epochs[name]] = fault
            self._killed_by[name] = index
            self._session.signal(name, "kill")
        if obstacle:
            self._act("none", name, index, why=obstacle)
        return not obstacle

    def _obstacle(self, name: str, fault: Kill | Pause) -> str:
        """Why it cannot be done to the process as it is, "" if it can."""
        life = (name, self._epochs[name])
        if name in self._launched:
            return "it was being restarted"
        if life in self._killing or life in self._fired:
            return "it was being killed"
        if life in self._paused and (isinstance(fault, Pause) or name in self._down):
            return "it was stopped already"
        return "it was dead already" if name in self._down or life not in self._alive else ""

    def _pause(self, name: str, index: int) -> Program:
        """-> what came between. Noted when it is done: what the process journalled until then, it was free to do."""
        life = (name, self._epochs[name])
        self._paused[life] = index
        self._stopped.discard(life)
        self._session.signal(name, "stop")
        yield from self._until(
            lambda: life in self._stopped or life not in self._alive, PATIENCE, f"{name} to be stopped"
        )
        if life not in self._alive:
            return "it died before it was stopped"
        self._act("pause", name, index)
        return ""

    def _resume(self, life: Life) -> None:
        name, epoch = life
        del self._paused[life]
        self._act("resume", name, epoch=epoch)
        self._session.signal(name, "continue", epoch)

    # Planes

    def _switch(self, index: int, active: bool) -> Program:
        yield from self._call(self._plane(index), {"type": "rule", "index": index, "active": active})
        (self._on.add if active else self._on.discard)(index)

    def _plane(self, index: int) -> PlaneName:
        plane = plane_of(self._cell, self._cell.faults[index])
        assert plane is not None, "a fault on a process is no rule"
        return plane

    def _release_hold(self, index: int) -> Act:
        return lambda: self._call(self._plane(index), {"type": "release", "index": index})

    # The orchestrator's own journal

    def _phase(self, phase: str) -> None:
        self._session.note(Kind.PHASE, detail={"phase": phase})

    def _act(
        self, act: str, node: str, fault: int | None = None, epoch: int | None = None, why: str | None = None
    ) -> None:
        detail = {"act": act, "node": node, "epoch": epoch or self._epochs[node], "fault": fault}
        self._session.note(Kind.ACT, detail=detail if why is None else {**detail, "why": why})
