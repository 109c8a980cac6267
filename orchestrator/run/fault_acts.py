"""PURE: how the run's program begins and ends faults: a plane's rules, and what is done to processes."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from chaos.faults.fault import Fault
from chaos.faults.processes import ProcessFault
from chaos.supports import PlaneName
from nodes.ops import Now, Program
from nodes.wire.record import Kind
from orchestrator.run.agenda import Act
from orchestrator.run.attention import MILLISECOND, PATIENCE, Attention
from orchestrator.run.lives import Action, Event, Life, Lives, State
from orchestrator.run.session import Session, SignalName
from orchestrator.run.specs import plane_of, planes
from orchestrator.scenario.cell import Cell

SIGNALS: Mapping[Action, SignalName] = {Action.KILL: "kill", Action.FREEZE: "stop", Action.THAW: "continue"}


class FaultActs(Attention):
    """The part of a conductor that strikes processes and switches rules. `names` are all processes of the run."""

    def __init__(self, cell: Cell, session: Session, names: Collection[str]) -> None:
        super().__init__(session)
        self._cell = cell
        self._planes = planes(cell)
        self._lives = Lives((*self._planes, *names))
        self._on = {i for i, fault in enumerate(cell.faults) if plane_of(cell, fault) and fault.starts_on}

    def _arm(self) -> Program:
        """Who waits for which trigger."""
        for index, fault in enumerate(self._cell.faults):
            if fault.when is not None:
                yield from self._agenda.when(fault.when, self._delayed(index, fault), begins_fault=True)
            if fault.released_at is not None:
                yield from self._agenda.when(fault.released_at, self._release_hold(index))

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
            if fault.on_process is None:
                yield from self._switch(index, True)
            elif not (yield from self._strike(index, fault.on_process)):
                return
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
            if fault.on_process is None:
                yield from self._switch(index, False)
            for life in self._lives.held_by(index):
                self._resume(life)
            if fault.name:
                yield from self._agenda.occur(f"{fault.name} off")

        return act

    # Processes

    def _strike(self, index: int, fault: ProcessFault) -> Program:
        """Kill or stop the process -> whether it was one to do that to; if it was not, that is noted."""
        name = fault.target
        event = Event.KILL if fault.deadly else Event.PAUSE
        obstacle = self._lives.obstacle(name, event)
        if not obstacle and not fault.deadly:
            obstacle = yield from self._pause(name, index)
        elif not obstacle:
            self._act("kill", name, index)
            self._happen(self._lives.latest(name), event)
            self._killed_by(self._lives.latest(name), index, fault)
        if obstacle:
            self._act("none", name, index, why=obstacle)
        return not obstacle

    def _killed_by(self, life: Life, index: int, fault: ProcessFault) -> None:
        record = self._lives.record(life)
        record.killed, record.restart = index, fault.restart

    def _pause(self, name: str, index: int) -> Program:
        """-> what came between. Noted when it is done: what the process journalled until then, it was free to do."""
        life = self._lives.latest(name)
        record = self._lives.record(life)
        self._happen(life, Event.PAUSE)
        record.paused = index
        on_its_way = (State.PAUSING, State.KILLING, State.CATCHING)
        yield from self._until(lambda: record.state not in on_its_way, PATIENCE, f"{name} to be stopped")
        if not self._lives.runs(life):
            return "it died before it was stopped"
        self._act("pause", name, index)
        return ""

    def _resume(self, life: Life) -> None:
        self._act("resume", life.name, epoch=life.epoch)
        self._happen(life, Event.RESUME)

    def _happen(self, life: Life, event: Event) -> Action:
        """-> what is still to be done, a signal that is due being sent."""
        action = self._lives.happen(life, event)
        if action in SIGNALS:
            self._session.signal(life.name, SIGNALS[action], life.epoch)
        elif action is Action.TELL:
            self._session.command(life.name, {"type": "stop"}, life.epoch)
        return action

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
        detail = {"act": act, "node": node, "epoch": epoch or self._lives.epochs[node], "fault": fault}
        self._session.note(Kind.ACT, detail=detail if why is None else {**detail, "why": why})
