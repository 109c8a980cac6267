"""PURE: how the run's program begins and ends faults: a plane's rules, and what is done to processes."""

from __future__ import annotations

from chaos.faults.fault import Fault
from chaos.faults.processes import ProcessFault
from nodes.ops import Now, Program
from nodes.units import MILLISECOND
from orchestrator.run.agenda import Act
from orchestrator.run.attention import PATIENCE
from orchestrator.run.lives import HELD, Action, Event, Life, State
from orchestrator.run.processes import Processes
from orchestrator.run.relived import relived
from orchestrator.run.session import Exited, Fired, ProjectSession, Session
from orchestrator.run.specs import plane_of
from orchestrator.scenario.cell import Cell


class FaultActs(Processes):
    """The part of a conductor that strikes processes and switches rules."""

    def __init__(self, cell: Cell, session: Session, project: ProjectSession | None = None) -> None:
        super().__init__(relived(cell), session, project)
        self._ends = {} if cell.log is None else {one.fault: one.ends for one in cell.log.strikes if one.ends}
        """The faults that end at a trigger, in a replay."""
        self._on = {i for i, fault in enumerate(cell.faults) if plane_of(cell, fault) and fault.starts_on}
        self._on -= {i for i, fault in enumerate(cell.faults) if fault.by_client}

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
        if index in self._ends:
            yield from self._agenda.when(self._ends[index], self._cease(index, fault))
        elif fault.lasts is not None:
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

    def _at_failpoint(self, event: Fired) -> Program:
        """A process dies at a failpoint, or has stopped itself there."""
        life, fault = Life(event.name, event.epoch), self._cell.faults[event.fault].on_process
        assert fault is not None, "only processes have failpoints"
        record = self._lives.record(life)
        if fault.deadly:
            self._happen(life, Event.DIES)
            if record.state is not State.KILLING:
                self._killed_by(life, event.fault, fault)
            return
        action = self._happen(life, Event.HALTS if fault.restart is None else Event.YIELDS)
        record.paused = event.fault
        if action is Action.REPLACE:
            record.restart = fault.restart
            yield from self._plan_restart(life.name, fault.restart)
        yield from self._begun(event.fault, fault)
        if self._healed and record.state in HELD:
            self._resume(life)

    def _exited(self, event: Exited) -> Program:
        action, life = self._reaped(event), Life(event.name, event.epoch)
        killed = self._lives.record(life).killed
        if action is Action.BEGIN and killed is not None:
            yield from self._begun(killed, self._cell.faults[killed])
        if action in (Action.BEGIN, Action.MOURN) and life == self._lives.latest(life.name):
            yield from self._mourn(life)

    # Planes

    def _switch(self, index: int, active: bool) -> Program:
        yield from self._call(self._performer(index), {"type": "rule", "index": index, "active": active})
        (self._on.add if active else self._on.discard)(index)

    def _performer(self, index: int) -> str:
        """The process that is told."""
        fault = self._cell.faults[index]
        if fault.by_client:
            return next(link.source for link in self._cell.links if link.name == fault.on_link)
        plane = plane_of(self._cell, fault)
        assert plane is not None, "a fault on a process is no rule"
        return plane

    def _release_hold(self, index: int) -> Act:
        return lambda: self._call(self._performer(index), {"type": "release", "index": index})
