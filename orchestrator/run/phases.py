"""PURE: the phases that every run goes through, whether its nodes are ours or somebody's services."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Collection, Iterable
from typing import Any

from chaos.faults.processes import Restart
from nodes.ops import Get, Now, Program
from nodes.wire.record import Kind
from orchestrator.run.attention import MILLISECOND, PATIENCE, RunFailed, patience
from orchestrator.run.fault_acts import FaultActs
from orchestrator.run.lives import BEING_KILLED, HELD, Action, Event, Life, ending
from orchestrator.run.session import Answer, Exited, Lost, NodeEvent, Session, Started, Stopped
from orchestrator.run.until_done import comes_back, longest_wait, on_its_way
from orchestrator.scenario.cell import UNTIL_DONE, Cell

POLL = 2 * MILLISECOND
"""Between two looks at whether everything is drained."""
LEAVING = 2_000 * MILLISECOND
"""For processes to end after Ctrl-C, whose patience is short; who is late is killed."""


class Phases(FaultActs):
    """What a conductor of a run fills in: how its processes start, call, come back and end."""

    def __init__(self, cell: Cell, session: Session, names: Collection[str]) -> None:
        super().__init__(cell, session, names)
        self._healed = False
        self._at_heal: set[str] = set()
        self._done: set[str] = set()

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
        yield from self._stop(self._remaining)
        self._phase("end")

    @property
    @abstractmethod
    def _remaining(self) -> list[str]:
        """The processes that are stopped at the very end."""

    @property
    @abstractmethod
    def _callers(self) -> Collection[str]:
        """The nodes that call."""

    @property
    @abstractmethod
    def _return(self) -> int:
        """Nanoseconds in which whoever was killed must be ready again at heal.

        So long, too, may nothing be completed in the load while nothing is scheduled: its cap, with until-done.
        """

    @abstractmethod
    def _start(self) -> Program:
        """Everything runs and is configured."""

    @abstractmethod
    def _disarm(self) -> Program:
        """No process dies or stops by itself any more."""

    @abstractmethod
    def _open_gates(self) -> Program:
        """What a gate waits for can come no more after heal, so none stays closed; the last calls begin."""

    @abstractmethod
    def _drain(self) -> Program:
        """Clients are stopped, and nothing is on its way any more."""

    @abstractmethod
    def _leave(self) -> Program:
        """After Ctrl-C: heal what can be healed and end every process, within a short time."""

    @abstractmethod
    def _restart(self, name: str) -> Program:
        """Start the next epoch of one that is down, once."""

    @abstractmethod
    def _named(self, life: Life) -> str:
        """As errors name it."""

    @abstractmethod
    def _started(self, event: Started) -> Program: ...

    @abstractmethod
    def _exited(self, event: Exited) -> Program: ...

    @abstractmethod
    def _node_event(self, event: NodeEvent) -> Program: ...

    def _load(self) -> Program:
        """Clients call while faults come and go."""
        yield from self._timed_faults()
        for name in self._callers:
            yield from self._call(name, {"type": "go"})
        if self._cell.load == UNTIL_DONE:
            yield from self._until_done()
        elif not (yield from self._wait(self._loaded, self._cell.load * MILLISECOND)):
            self._phase("load-capped")

    def _loaded(self) -> bool:
        """Every call before heal is completed, and whoever comes back before heal is there again."""
        return set(self._callers) <= self._at_heal | self._done and not self._returning

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

    def _completed(self) -> Program:
        """-> how many calls are completed, in all."""
        completed = 0
        for name in self._callers:
            status = yield from self._call(name, {"type": "status"})
            completed += status["completed"]
        return completed

    def _keeping(self) -> list[int]:
        """The faults that keep calls open until heal; none where that does not explain every client."""
        if self._returning:
            return []
        lasting = [index for index in range(len(self._cell.faults)) if self._lasts(index)]
        found: set[int] = set()
        for name in set(self._callers) - self._at_heal - self._done:
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
            elif fault.starts_on and fault.on_process is None:
                yield from self._begun(index, fault)

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
        for plane in self._planes:
            yield from self._call(plane, {"type": "heal"})  # last: what was held back finds a server
        yield from self._agenda.occur("healed")
        yield from self._open_gates()

    @property
    def _returning(self) -> bool:
        """Whether somebody that comes back before heal is not there again."""
        lives = self._lives
        return bool(lives.within(BEING_KILLED)) or any(comes_back(lives.restart_of(name)) for name in lives.away())

    def _settle(self) -> Program:
        """Clients end their calls."""
        callers = set(self._callers)
        if (yield from self._wait(lambda: callers <= self._done, self._cell.settle * MILLISECOND)):
            return
        self._phase("settle-capped")
        for name in sorted(callers - self._done):
            yield from self._call(name, {"type": "finish"})
        yield from self._until(lambda: callers <= self._done, PATIENCE, "clients to end their open calls")

    def _plan_restart(self, name: str, restart: Restart | None) -> Program:
        if self._healed:  # it died at a failpoint before it heard of heal
            yield from self._restart(name)
            return
        if restart is None:
            return  # heal brings it back

        def later() -> Program:
            now = yield Now()
            self._agenda.at(now + restart.after * MILLISECOND, lambda: self._restart(name))

        if restart.when is None:
            yield from later()
        else:
            yield from self._agenda.when(restart.when, later)

    def _stop(self, names: Iterable[str]) -> Program:
        names = list(names)
        for name in names:
            self._happen(self._lives.latest(name), Event.STOP)
        yield from self._until(
            lambda: not any(life.name in names for life in self._lives.alive()),
            patience(names),
            f"{', '.join(names)} to stop",
        )

    def _ending(self, lives: Collection[Life]) -> Program:
        """Wait LEAVING for these to end. Nothing else that happens leads to anything: whoever would have to be told of
        it has been told to stop."""
        now = yield Now()
        deadline = now + LEAVING
        while any(map(self._lives.runs, lives)):
            try:
                event = yield Get(self._session.events, deadline)
            except TimeoutError:
                return
            if isinstance(event, Exited):
                self._reaped(event)

    def _reaped(self, event: Exited) -> Action:
        """-> what is to be done. Raises RunFailed where it should not have ended."""
        detail = {"node": event.name, "epoch": event.epoch, "signal": event.signal, "code": event.code}
        self._session.note(Kind.REAPED, detail=detail)
        life = Life(event.name, event.epoch)
        how = ending(event, self._lives.epochs[event.name])
        if not self._lives.may(life, how):
            raise RunFailed(f"{self._named(life)} ended: signal {event.signal}, exit code {event.code}")
        return self._happen(life, how)

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
        elif isinstance(event, Lost):
            raise RunFailed(event.reason)
