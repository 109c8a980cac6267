"""PURE: the program that conducts one run of one cell through its phases, on any backend.

Rules of this file:

1. It yields `Get`, `Now` and `Sleep` only, and calls a session's non-blocking methods; everything that happens
   comes back as an event. So the same program runs on real processes and in the simulator.
2. A trigger has occurred only when what it says is true for everybody: "server down" after the relay closed its
   listener, "split on" after the relay confirmed the rule, "frozen on" after the process was stopped.
3. A process that ends without having been told to is the testbed's failure, not a finding.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from nodes.ops import Now, Program, Sleep
from nodes.units import MILLISECOND
from nodes.wire.record import Kind
from orchestrator.run.agenda import Act
from orchestrator.run.attention import PATIENCE, RunFailed
from orchestrator.run.drained import drained
from orchestrator.run.fault_acts import FaultActs
from orchestrator.run.lives import BEING_KILLED, HELD, Event, Life
from orchestrator.run.order import steps
from orchestrator.run.session import Answer, Exited, Fired, Lost, NodeEvent, ProjectSession, Session, Started, Stopped
from orchestrator.run.specs import failpoints
from orchestrator.run.until_done import comes_back, longest_wait, on_its_way
from orchestrator.scenario.cell import UNTIL_DONE, Cell
from orchestrator.scenario.log import moment
from orchestrator.scenario.triggers import TriggerEvent

POLL = 2 * MILLISECOND
"""Between two looks at whether everything is drained."""
AGAIN = 500 * MILLISECOND
"""After which a process is told again to go on. One that stops itself at a failpoint says so just before it does, so
that the signal may come too early; another one is lost on nobody."""


class Conductor(FaultActs):
    """`program()` runs the cell; afterwards the session has everything to collect.

    `project` is the session once more, where the cell is a system's.
    """

    def __init__(self, cell: Cell, session: Session, project: ProjectSession | None = None) -> None:
        super().__init__(cell, session, project)
        self._at_heal: set[str] = set()
        self._done: set[str] = set()
        self._attempts: Counter[tuple[str, int, int]] = Counter()
        self._start_steps = steps(cell, self._planes, project.services if project else {})

    def program(self) -> Program:
        """Every phase in turn. Raises RunFailed; KeyboardInterrupt heals and stops before it goes on."""
        try:
            for phase, run in (
                ("start", self._start),
                ("load", self._load),
                ("heal", self._heal),
                ("settle", self._settle),
                ("drain", self._drain),
            ):
                self._phase(phase)
                yield from run()
        except KeyboardInterrupt:
            self._phase("interrupted")
            yield from self._leave()
            raise
        self._phase("stop")
        yield from self._stop([*self._cell.servers, *self._planes])
        self._phase("end")

    # Start

    def _start(self) -> Program:
        """Everything runs and is configured."""
        yield from self._arm()
        for step in self._start_steps:
            yield from self._take(step)
        for name, caller in self._cell.callers.items():  # what a gate waits for may have come by now
            for gate, trigger in caller.gates.items():
                yield from self._agenda.when(trigger, self._release_gate(name, gate))

    def _release_gate(self, name: str, gate: int) -> Act:
        return lambda: self._call(name, {"type": "release", "gate": gate})

    # Load

    def _load(self) -> Program:
        """Clients call while faults come and go."""
        yield from self._timed_faults()
        for name in self._cell.callers:
            yield from self._call(name, {"type": "go"})
        if self._cell.load == UNTIL_DONE:
            yield from self._until_done()
            yield from self._gone_on()
        elif not (yield from self._wait(self._loaded, self._cell.load * MILLISECOND)):
            self._phase("load-capped")

    def _loaded(self) -> bool:
        """Every call before heal is completed, and whoever comes back before heal is there again."""
        return set(self._cell.callers) <= self._at_heal | self._done and not self._returning

    def _until_done(self) -> Program:
        """Until it is loaded, or nothing is completed any more: a fault keeps calls open, or nobody knows why."""
        wait = longest_wait(self._cell)
        completed, quiet_since = -1, 0
        while not (yield from self._wait(self._loaded, wait)):
            before = completed
            completed = yield from self._completed()
            now = yield Now()
            if completed != before or self._agenda.scheduled:
                quiet_since = now
            elif kept := self._keeping():
                self._session.note(Kind.PHASE, detail={"phase": "load-kept", "faults": kept})
                return
            elif now - quiet_since >= self._return:
                self._phase("load-capped")
                return

    def _gone_on(self) -> Program:
        """What faults delayed comes at its time: heal would let it go early. No call is open that would send more."""
        while self._loaded() and (yield from self._under_way()):
            now = yield Now()
            yield Sleep(now + POLL)

    def _under_way(self) -> Program:
        """-> whether a plane keeps messages for a time."""
        if not any(fault.punctual for fault in self._cell.faults):
            return False
        statuses = []
        for plane in self._planes:
            statuses.append((yield from self._call(plane, {"type": "status"})))
        return any(status["pending"] for status in statuses)

    def _completed(self) -> Program:
        """-> how many calls are completed, in all."""
        completed = 0
        for name in self._cell.callers:
            status = yield from self._call(name, {"type": "status"})
            completed += status["completed"]
        return completed

    def _keeping(self) -> list[int]:
        """The faults that keep calls open until heal; none where that does not explain every client."""
        if self._returning:
            return []
        lasting = [index for index in range(len(self._cell.faults)) if self._lasts(index)]
        found: set[int] = set()
        for name in set(self._cell.callers) - self._at_heal - self._done:
            met = {index for index in lasting if on_its_way(self._cell, name, self._cell.faults[index])}
            if not met:
                return []
            found |= met
        return sorted(found)

    def _lasts(self, index: int) -> bool:
        """Whether this fault is on, ends at heal alone, and can keep calls open until then."""
        fault = self._cell.faults[index]
        struck = fault.on_process
        if struck is None:
            return index in self._on and fault.lasts is None and fault.keeps_open
        if struck.deadly:
            last = self._lives.record(self._lives.latest(struck.target)).killed == index
            return last and struck.target in self._lives.away() and not comes_back(struck.restart)
        return bool(self._lives.held_by(index)) and struck.restart is None and struck.lasts is None

    def _timed_faults(self) -> Program:
        """Those that begin with the load, or some time after it does."""
        now = yield Now()
        for index, fault in enumerate(self._cell.faults):
            if fault.after is not None and fault.when is None:
                self._agenda.at(now + fault.after * MILLISECOND, self._begin(index, fault))
            elif fault.starts_on and fault.by_client:
                yield from self._begin(index, fault)()
            elif fault.starts_on and fault.on_process is None:
                yield from self._begun(index, fault)

    # Heal

    def _heal(self) -> Program:
        self._healed = True
        self._agenda.heal()
        for life in self._lives.within(HELD):
            self._resume(life)
        yield from self._disarm()
        yield from self._until(lambda: not self._lives.within(BEING_KILLED), PATIENCE, "what was killed to be dead")
        for name in self._lives.away():
            yield from self._restart(name)
        yield from self._until(lambda: not self._lives.away(), self._return, "what was killed to be ready again")
        for index in [index for index in self._on if self._cell.faults[index].by_client]:
            yield from self._switch(index, False)
        for plane in self._planes:
            yield from self._call(plane, {"type": "heal"})  # last: what was held back finds a server
        yield from self._agenda.occur("healed")
        yield from self._open_gates()

    @property
    def _returning(self) -> bool:
        """Whether somebody that comes back before heal is not there again."""
        lives = self._lives
        return bool(lives.within(BEING_KILLED)) or any(comes_back(lives.restart_of(name)) for name in lives.away())

    def _disarm(self) -> Program:
        """Acknowledged by all that have failpoints. What fires before it is heard is undone as heal undoes all else."""
        asked = {}
        for name, epoch in self._lives.alive():
            if name in self._cell.servers and failpoints(self._cell, name, epoch):
                asked[Life(name, epoch)] = (name, self._session.command(name, {"type": "disarm"}, epoch))
        for life, key in asked.items():
            yield from self._disarmed(life, key)

    def _disarmed(self, life: Life, key: tuple[str, int]) -> Program:
        for _ in range(PATIENCE // AGAIN):
            if (yield from self._wait(lambda: key in self._answers or not self._lives.runs(life), AGAIN)):
                return
            self._session.signal(life[0], "continue", life[1])
        raise RunFailed(f"waited {PATIENCE // MILLISECOND} ms for {life[0]} (epoch {life[1]}) to forget its failpoints")

    def _open_gates(self) -> Program:
        """What a gate waits for can come no more after heal, so none stays closed; the last calls begin."""
        for name, caller in self._cell.callers.items():
            for gate in sorted(caller.gates):
                yield from self._call(name, {"type": "release", "gate": gate})
            yield from self._call(name, {"type": "healed"})

    # Settle and drain

    def _settle(self) -> Program:
        """Clients end their calls."""
        callers = set(self._cell.callers)
        if (yield from self._wait(lambda: callers <= self._done, self._cell.settle * MILLISECOND)):
            return
        self._phase("settle-capped")
        for name in sorted(callers - self._done):
            yield from self._call(name, {"type": "finish"})
        yield from self._until(lambda: callers <= self._done, PATIENCE, "clients to end their open calls")

    def _drain(self) -> Program:
        yield from self._stop(self._cell.callers)
        yield from self._outlived()
        now = yield Now()
        cap = now + self._cell.settle * MILLISECOND
        while not (yield from self._drained()):
            now = yield Now()
            if now > cap:
                self._phase("drain-capped")
                return
            yield Sleep(now + POLL)

    def _outlived(self) -> Program:
        """Predecessors that woke beside their successors: a fence ends them at their next transaction."""
        cap = self._cell.settle * MILLISECOND
        if not (yield from self._wait(lambda: not self._lives.predecessors(), cap)):
            self._phase("predecessors-capped")
        for life in self._lives.predecessors():
            self._happen(life, Event.STOP)
        yield from self._until(lambda: not self._lives.predecessors(), PATIENCE, "predecessors to stop")

    def _drained(self) -> Program:
        statuses: dict[str, dict[str, Any]] = {}
        for name in (*self._planes, *self._cell.servers):
            statuses[name] = yield from self._call(name, {"type": "status"})
        planes = [statuses.pop(plane) for plane in self._planes]
        return drained(self._cell, self._lives.epochs, planes, statuses)

    def _leave(self) -> Program:
        """After Ctrl-C: heal what can be healed and end every process, within a short time. Services go with their
        project."""
        for life in self._lives.within(HELD):
            if life.name not in self._services:
                self._session.signal(life.name, "continue", life.epoch)
        leaving = [life for life in self._lives.leave() if life.name not in self._services]
        for life in leaving:
            if life == self._lives.latest(life.name):
                if life.name in self._planes:
                    self._session.command(life.name, {"type": "heal"})
                self._session.command(life.name, {"type": "stop"})
        yield from self._ending(leaving)

    # Events

    def _handle(self, event: Any) -> Program:
        if isinstance(event, Answer):
            self._answers[event.name, event.id] = event.body
        elif isinstance(event, NodeEvent):
            yield from self._node_event(event)
        elif isinstance(event, Started):
            yield from self._started(event)
        elif isinstance(event, Exited):
            yield from self._exited(event)
        elif isinstance(event, Stopped):
            self._happen(Life(event.name, event.epoch), Event.STOPPED)
        elif isinstance(event, Fired):
            yield from self._at_failpoint(event)
        elif isinstance(event, Lost):
            raise RunFailed(event.reason)

    def _node_event(self, event: NodeEvent) -> Program:
        if event.event == "heal-gate":
            self._at_heal.add(event.name)
        elif event.event == "done":
            self._done.add(event.name)
        else:
            yield from self._agenda.occur(f"{event.name} {event.event}", event.number)
            yield from self._agenda.occur(self._moment(event))

    def _moment(self, event: NodeEvent) -> str:
        """What a replay waits for: the n-th attempt that is told of an operation is its attempt n."""
        name, what, number, client = event
        self._attempts[name, number, client] += what == TriggerEvent.ATTEMPT
        return moment(name, what, client, number, self._attempts[name, number, client])
