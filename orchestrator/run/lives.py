"""PURE: every process's life as one table: state x event -> next state, and what is then to be done.

Rules of this file:

1. A life is one process: a node or service in one of its epochs, a plane, a driver. A restart begins the next life; the
   one before it may go on for a while, if it was only stopped.
2. What the table does not have cannot be: it is the testbed's failure (RunFailed), never a finding.
3. A kill or a pause that cannot be done to a process as it stands is no failure: OBSTACLES has why.
4. Whoever hears of an event asks the table, and does the action that it answers with.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple

from chaos.faults.processes import Restart
from nodes.control import FENCED
from orchestrator.run.attention import RunFailed
from orchestrator.run.session import Exited


class Life(NamedTuple):
    """One process."""

    name: str
    epoch: int


class State(StrEnum):
    """Where a life is."""

    ABSENT = "absent"  # nothing has been heard of it
    RUNNING = "running"
    PAUSING = "pausing"  # told to stop by a signal, and not seen to have
    PAUSED = "paused"
    KILLING = "killing"  # it has been sent the signal
    DYING = "dying"  # it kills itself at a failpoint
    CATCHING = "catching"  # dying, while a pause is on its way to it
    CAUGHT = "caught"  # dying, and stopped before it could
    SUSPENDED = "suspended"  # it stopped itself, and another is to take its place
    WOKEN = "woken"  # it goes on where another has taken its place, or will
    DOWN = "down"
    RESTARTING = "restarting"
    CONFIGURING = "configuring"  # started again, and not ready
    STOPPING = "stopping"  # told to end
    LEAVING = "leaving"  # the run was interrupted: however it ends is right
    GONE = "gone"


class Event(StrEnum):
    """What happens to a life, or is done to it."""

    STARTED = "started"
    READY = "ready"
    PAUSE = "pause"
    STOPPED = "stopped"
    RESUME = "resume"
    KILL = "kill"
    DIES = "dies"  # at a failpoint
    HALTS = "halts"  # at a failpoint, until it is resumed
    YIELDS = "yields"  # halts, and a successor is to be started
    RESTART = "restart"  # of its next life
    STOP = "stop"
    LEAVE = "leave"
    ENDED = "ended"  # with exit code 0
    SIGNALLED = "signalled"  # a signal ended it
    FENCED = "fenced"  # its successor had taken over its ledger
    FAILED = "failed"  # with any other exit code


class Action(StrEnum):
    """What follows."""

    NOTHING = "nothing"
    KILL = "kill"
    FREEZE = "freeze"
    THAW = "thaw"
    CONFIGURE = "configure"
    TELL = "tell to stop"
    MOURN = "mourn"  # nobody is to be called there any more, and it comes back when it is to
    BEGIN = "begin and mourn"  # its fault has begun with its end
    REPLACE = "replace"  # plan its successor


class Transition(NamedTuple):
    to: State
    action: Action = Action.NOTHING


EXITS = (Event.ENDED, Event.SIGNALLED, Event.FENCED, Event.FAILED)

_S, _E, _A = State, Event, Action

_TABLE: dict[State, dict[Event, Transition]] = {
    _S.ABSENT: {
        _E.STARTED: Transition(_S.RUNNING),
    },
    _S.RUNNING: {
        _E.READY: Transition(_S.RUNNING),
        _E.PAUSE: Transition(_S.PAUSING, _A.FREEZE),
        _E.STOPPED: Transition(_S.RUNNING),
        _E.KILL: Transition(_S.KILLING, _A.KILL),
        _E.DIES: Transition(_S.DYING),
        _E.HALTS: Transition(_S.PAUSED),
        _E.YIELDS: Transition(_S.SUSPENDED, _A.REPLACE),
        _E.STOP: Transition(_S.STOPPING, _A.TELL),
    },
    _S.PAUSING: {
        _E.STOPPED: Transition(_S.PAUSED),
        _E.RESUME: Transition(_S.RUNNING, _A.THAW),
        _E.KILL: Transition(_S.KILLING, _A.KILL),
        _E.DIES: Transition(_S.CATCHING),
        _E.HALTS: Transition(_S.PAUSING),
        _E.YIELDS: Transition(_S.SUSPENDED, _A.REPLACE),
    },
    _S.PAUSED: {
        _E.READY: Transition(_S.PAUSED),
        _E.STOPPED: Transition(_S.PAUSED),
        _E.RESUME: Transition(_S.RUNNING, _A.THAW),
        _E.KILL: Transition(_S.KILLING, _A.KILL),
        _E.DIES: Transition(_S.CAUGHT),
        _E.HALTS: Transition(_S.PAUSED),
        _E.YIELDS: Transition(_S.SUSPENDED, _A.REPLACE),
    },
    _S.KILLING: {
        _E.READY: Transition(_S.KILLING),
        _E.STOPPED: Transition(_S.KILLING),
        _E.DIES: Transition(_S.KILLING),
        _E.HALTS: Transition(_S.KILLING),
        _E.YIELDS: Transition(_S.KILLING),
        _E.STOP: Transition(_S.KILLING),
        **dict.fromkeys(EXITS, Transition(_S.DOWN, _A.MOURN)),
    },
    _S.DYING: {
        _E.READY: Transition(_S.DYING),
        _E.STOPPED: Transition(_S.DYING),
        _E.STOP: Transition(_S.DYING),
        _E.SIGNALLED: Transition(_S.DOWN, _A.BEGIN),
    },
    _S.CATCHING: {
        _E.STOPPED: Transition(_S.CAUGHT),
        _E.RESUME: Transition(_S.DYING, _A.THAW),
        _E.SIGNALLED: Transition(_S.DOWN, _A.BEGIN),
    },
    _S.CAUGHT: {
        _E.READY: Transition(_S.CAUGHT),
        _E.STOPPED: Transition(_S.CAUGHT),
        _E.RESUME: Transition(_S.DYING, _A.THAW),
        _E.SIGNALLED: Transition(_S.DOWN, _A.BEGIN),
    },
    _S.SUSPENDED: {
        _E.READY: Transition(_S.SUSPENDED),
        _E.STOPPED: Transition(_S.SUSPENDED),
        _E.RESUME: Transition(_S.WOKEN, _A.THAW),
        _E.RESTART: Transition(_S.SUSPENDED),
    },
    _S.WOKEN: {
        _E.READY: Transition(_S.WOKEN),
        _E.STOPPED: Transition(_S.WOKEN),
        _E.DIES: Transition(_S.DYING),
        _E.HALTS: Transition(_S.SUSPENDED),
        _E.YIELDS: Transition(_S.SUSPENDED),
        _E.RESTART: Transition(_S.WOKEN),
        _E.STOP: Transition(_S.STOPPING, _A.TELL),
        _E.FENCED: Transition(_S.GONE),
    },
    _S.DOWN: {
        _E.READY: Transition(_S.DOWN),
        _E.RESTART: Transition(_S.GONE),
        _E.STOP: Transition(_S.DOWN),
    },
    _S.RESTARTING: {
        _E.STARTED: Transition(_S.CONFIGURING, _A.CONFIGURE),
        _E.STOP: Transition(_S.RESTARTING),
    },
    _S.CONFIGURING: {
        _E.READY: Transition(_S.RUNNING),
        _E.STOPPED: Transition(_S.CONFIGURING),
        _E.DIES: Transition(_S.DYING),
        _E.HALTS: Transition(_S.PAUSED),
        _E.YIELDS: Transition(_S.SUSPENDED, _A.REPLACE),
        _E.STOP: Transition(_S.STOPPING, _A.TELL),
    },
    _S.STOPPING: {
        _E.READY: Transition(_S.STOPPING),
        _E.STOPPED: Transition(_S.STOPPING),
        _E.STOP: Transition(_S.STOPPING),
        _E.ENDED: Transition(_S.GONE),
        _E.FENCED: Transition(_S.GONE),
    },
    _S.LEAVING: dict.fromkeys(EXITS, Transition(_S.GONE)),
    _S.GONE: {
        _E.READY: Transition(_S.GONE),
    },
}

NO_PROCESS = frozenset({_S.ABSENT, _S.RESTARTING, _S.DOWN, _S.GONE})
"""There is none that could be told anything."""
for _state in set(State) - {_S.DOWN, _S.GONE}:
    _TABLE[_state][_E.LEAVE] = Transition(_S.LEAVING)

TABLE: Mapping[State, Mapping[Event, Transition]] = MappingProxyType(
    {state: MappingProxyType(row) for state, row in _TABLE.items()}
)

OBSTACLES: Mapping[State, str] = MappingProxyType(
    dict.fromkeys((_S.ABSENT, _S.DOWN, _S.GONE, _S.WOKEN, _S.STOPPING, _S.LEAVING), "it was dead already")
    | dict.fromkeys((_S.RESTARTING, _S.CONFIGURING), "it was being restarted")
    | dict.fromkeys((_S.KILLING, _S.DYING, _S.CATCHING, _S.CAUGHT), "it was being killed")
    | dict.fromkeys((_S.PAUSING, _S.PAUSED, _S.SUSPENDED), "it was stopped already")
)
"""Why a process in this state cannot be killed or paused, where the table does not have it."""

BEING_KILLED = frozenset({_S.KILLING, _S.DYING, _S.CATCHING, _S.CAUGHT})
HELD = frozenset({_S.PAUSING, _S.PAUSED, _S.CATCHING, _S.CAUGHT, _S.SUSPENDED})
"""Those that a resume lets go on."""
AWAY = frozenset({_S.DOWN, _S.SUSPENDED, _S.WOKEN, _S.RESTARTING, _S.CONFIGURING})
"""Where the latest life of a name is in one of these, it has nobody who could be called."""


@dataclass
class Record:
    """What is known of a life. `paused` and `killed` are places among the cell's faults: by which it was."""

    state: State = State.ABSENT
    paused: int | None = None
    killed: int | None = None
    restart: Restart | None = None
    """How its successor comes; None: at heal."""


class Lives:
    """The lives of all of a run's processes. Names that a run starts are given at once, each with epoch 1."""

    def __init__(self, names: Collection[str]) -> None:
        self.epochs = dict.fromkeys(names, 1)
        """The latest of each name."""
        self._latest = {name: Life(name, 1) for name in names}
        self._records = {life: Record() for life in self._latest.values()}

    def latest(self, name: str) -> Life:
        return self._latest[name]

    def record(self, life: Life) -> Record:
        return self._records[life]

    def state(self, name: str) -> State:
        """Of the latest life."""
        return self._records[self.latest(name)].state

    def happen(self, life: Life, event: Event) -> Action:
        """Raises RunFailed for what cannot be."""
        record = self._records.setdefault(life, Record())
        transition = TABLE[record.state].get(event)
        if transition is None:
            raise RunFailed(f"{life.name} (epoch {life.epoch}) is {record.state}, where {event} cannot be")
        record.state = transition.to
        return transition.action

    def may(self, life: Life, event: Event) -> bool:
        """Whether that can happen to it now."""
        return event in TABLE[self._records[life].state]

    def obstacle(self, name: str, event: Event) -> str:
        """Why the latest life cannot be killed or paused as it is, "" if it can."""
        return "" if self.may(self.latest(name), event) else OBSTACLES[self.state(name)]

    def succeed(self, name: str) -> Life:
        """-> the next life of a name, which is being started. It is known by which fault it came to be."""
        before = self.latest(name)
        self.happen(before, Event.RESTART)
        self.epochs[name] += 1
        then = self._records[before]
        life = self._latest[name] = Life(name, self.epochs[name])
        self._records[life] = Record(State.RESTARTING, killed=then.killed, restart=then.restart)
        return life

    def within(self, states: Collection[State]) -> list[Life]:
        """In the order of names and epochs."""
        return sorted(life for life, record in self._records.items() if record.state in states)

    def alive(self) -> list[Life]:
        return sorted(life for life, record in self._records.items() if record.state not in NO_PROCESS)

    def runs(self, life: Life) -> bool:
        return life in self._records and self._records[life].state not in NO_PROCESS

    def leave(self) -> list[Life]:
        """However a process ends from now on, it is right -> those that there are."""
        alive = self.alive()
        for life in self.within(frozenset(State) - {State.DOWN, State.GONE}):
            self.happen(life, Event.LEAVE)
        return alive

    def predecessors(self) -> list[Life]:
        """Those alive whose successor has been started."""
        return [life for life in self.alive() if life.epoch < self.epochs[life.name]]

    def away(self) -> list[str]:
        """The names of which nobody could be called, sorted."""
        return sorted(name for name, life in self._latest.items() if self._records[life].state in AWAY)

    def held_by(self, fault: int) -> list[Life]:
        return [life for life in self.within(HELD) if self._records[life].paused == fault]

    def restart_of(self, name: str) -> Restart | None:
        return self._records[self.latest(name)].restart


def ending(event: Exited, latest: int) -> Event:
    """How a process ended. Only one that has a successor can have been fenced."""
    if event.signal:
        return Event.SIGNALLED
    if event.code == FENCED and event.epoch < latest:
        return Event.FENCED
    return Event.FAILED if event.code else Event.ENDED


def diagram() -> Iterator[str]:
    """The lines of a Mermaid state diagram of the table, without what changes no state, and without leaving, which
    every process can."""
    yield "stateDiagram-v2"
    yield f"    [*] --> {State.ABSENT}"
    for state, row in TABLE.items():
        arrows: dict[State, list[str]] = {}
        for event, (to, action) in row.items():
            if State.LEAVING not in (state, to) and to is not state:
                arrows.setdefault(to, []).append(f"{event}" if action is Action.NOTHING else f"{event} / {action}")
        for to, events in arrows.items():
            yield f"    {state} --> {to}: {', '.join(events)}"
    yield f"    {State.GONE} --> [*]"
