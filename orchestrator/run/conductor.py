"""PURE: the program that conducts one run of one cell through its phases, on any backend.

Rules of this file:

1. It yields `Get`, `Now` and `Sleep` only, and calls a session's non-blocking methods; everything that happens
   comes back as an event. So the same program runs on real processes and in the simulator.
2. A trigger has occurred only when what it says is true for everybody: "server down" after the relay closed its
   listener, "split on" after the relay confirmed the rule, "frozen on" after the process was stopped.
3. A process that ends without having been told to is the testbed's failure, not a finding.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from chaos.faults.processes import Restart
from chaos.supports import PLANE_OF, PlaneName
from nodes.ops import Now, Program, Sleep
from orchestrator.run.agenda import Act
from orchestrator.run.attention import MILLISECOND, PATIENCE, RunFailed, patience
from orchestrator.run.drained import drained
from orchestrator.run.lives import HELD, Action, Event, Life, State
from orchestrator.run.phases import POLL, Phases
from orchestrator.run.session import Exited, Fired, NodeEvent, Session, Started
from orchestrator.run.specs import Address, addresses, client_spec, failpoints, plane_spec, server_spec
from orchestrator.scenario.cell import Cell, Link

AGAIN = 500 * MILLISECOND
"""After which a process is told again to go on. One that stops itself at a failpoint says so just before it does, so
that the signal may come too early; another one is lost on nobody."""


class Conductor(Phases):
    """`program()` runs the cell; afterwards the session has everything to collect."""

    def __init__(self, cell: Cell, session: Session) -> None:
        super().__init__(cell, session, (*cell.servers, *cell.clients))
        self._first: dict[str, dict[str, Address]] = {}

    # Phases

    @property
    def _remaining(self) -> list[str]:
        return [*self._cell.servers, *self._planes]

    @property
    def _callers(self) -> Collection[str]:
        return self._cell.clients

    @property
    def _return(self) -> int:
        return PATIENCE

    def _start(self) -> Program:
        yield from self._arm()
        for plane in self._planes:
            self._session.start(plane, plane, 1)
        for name in (*self._cell.servers, *self._cell.clients):
            self._launch(name)
        yield from self._until(
            lambda: len(self._lives.alive()) == len(self._lives.epochs),
            patience(self._lives.epochs),
            "every process to start",
        )
        targets: dict[str, Address] = {}
        for name in self._cell.servers:
            self._first[name] = yield from self._configure_server(name)
            targets |= self._first[name]
        for plane in self._planes:
            targets |= yield from self._configure_plane(plane, targets)
        for name in self._cell.servers:
            yield from self._agenda.occur(f"{name} ready", 1)
        for name in self._cell.clients:
            spec = client_spec(self._cell, name, 1, self._session.address(name), targets)
            yield from self._call(name, {"type": "configure", "spec": spec})
        yield from self._watch_gates()

    def _watch_gates(self) -> Program:
        """Of clients that are configured: what a gate waits for may have come by then."""
        for name, client in self._cell.clients.items():
            for gate, trigger in client.gates.items():
                yield from self._agenda.when(trigger, self._release_gate(name, gate))

    def _configure_plane(self, plane: PlaneName, upstreams: Mapping[str, Address]) -> Program:
        """-> where its links are called at."""
        place = self._session.plane(plane)
        spec = plane_spec(self._cell, plane, upstreams)
        return addresses((yield from self._call(plane, {"type": "configure", **place, **spec})))

    def _release_gate(self, name: str, gate: int) -> Act:
        return lambda: self._call(name, {"type": "release", "gate": gate})

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
                self._answers.pop(key, None)
                return
            self._session.signal(life[0], "continue", life[1])
        raise RunFailed(f"waited {PATIENCE // MILLISECOND} ms for {life[0]} (epoch {life[1]}) to forget its failpoints")

    def _open_gates(self) -> Program:
        for name, client in self._cell.clients.items():
            for gate in sorted(client.gates):
                yield from self._call(name, {"type": "release", "gate": gate})
            yield from self._call(name, {"type": "healed"})

    def _drain(self) -> Program:
        yield from self._stop(self._cell.clients)
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
        for life in self._lives.within(HELD):
            self._session.signal(life.name, "continue", life.epoch)
        leaving = self._lives.leave()
        for life in leaving:
            if life == self._lives.latest(life.name):
                if life.name in self._planes:
                    self._session.command(life.name, {"type": "heal"})
                self._session.command(life.name, {"type": "stop"})
        yield from self._ending(leaving)

    # Processes

    def _launch(self, name: str) -> None:
        node = self._cell.servers.get(name) or self._cell.clients[name]
        self._session.start(name, "node", self._lives.epochs[name], node.engine, node.limits)

    def _configure_server(self, name: str) -> Program:
        host = self._session.address(name)
        spec = server_spec(self._cell, name, self._lives.epochs[name], host, self._first.get(name))
        if self._healed:
            spec["failpoints"] = []
        return addresses((yield from self._call(name, {"type": "configure", "spec": spec})))

    def _named(self, life: Life) -> str:
        return f"{life.name} (epoch {life.epoch})"

    def _exited(self, event: Exited) -> Program:
        action, life = self._reaped(event), Life(event.name, event.epoch)
        record = self._lives.record(life)
        if action is Action.BEGIN and record.killed is not None:
            yield from self._begun(record.killed, self._cell.faults[record.killed])
        if action not in (Action.BEGIN, Action.MOURN) or life != self._lives.latest(life.name):
            return
        for link in self._cell.links:
            if link.target == life.name:
                yield from self._upstream(link, None, life.epoch)
        yield from self._agenda.occur(f"{life.name} down", life.epoch)
        yield from self._plan_restart(life.name, record.restart)

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

    def _restart(self, name: str) -> Program:
        if not self._lives.may(self._lives.latest(name), Event.RESTART):
            return
        if (self._lives.restart_of(name) or Restart()).state == "archive":
            self._act("archive", name)
            self._session.archive(name)
        self._lives.succeed(name)
        self._act("restart", name)
        self._launch(name)
        return
        yield

    def _restarted(self, life: Life) -> Program:
        upstreams = yield from self._configure_server(life.name)
        for link in self._cell.links:
            if link.target == life.name:
                yield from self._upstream(link, list(upstreams[link.name]), life.epoch)
        self._happen(life, Event.READY)
        yield from self._agenda.occur(f"{life.name} ready", life.epoch)

    def _upstream(self, link: Link, address: list[Any] | None, epoch: int) -> Program:
        plane = PLANE_OF[link.via]
        if plane in self._planes:  # nobody stands in a direct link without faults
            command = {"type": "upstream", "link": link.name, "address": address, "epoch": epoch}
            yield from self._call(plane, {**self._session.plane(plane), **command})

    # Events

    def _handle(self, event: Any) -> Program:
        if isinstance(event, Fired):
            yield from self._at_failpoint(event)
        else:
            yield from super()._handle(event)

    def _started(self, event: Started) -> Program:
        life = Life(event.name, event.epoch)
        if self._happen(life, Event.STARTED) is Action.CONFIGURE:
            yield from self._restarted(life)

    def _node_event(self, event: NodeEvent) -> Program:
        if event.event == "heal-gate":
            self._at_heal.add(event.name)
        elif event.event == "done":
            self._done.add(event.name)
        else:
            yield from self._agenda.occur(f"{event.name} {event.event}", event.number)
