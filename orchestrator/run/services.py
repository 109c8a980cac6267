"""PURE: the program that conducts one run of a system that is not ours, through the same phases as every run.

A service has *ready* when its container is up and healthy, and links behind it are told its address then; *down* once
the container is dead and links have closed. A service that was killed comes back at the latest at heal.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from functools import partial
from typing import TYPE_CHECKING, Any

from nodes.ops import Now, Program, Sleep
from orchestrator.run.attention import MILLISECOND, PATIENCE
from orchestrator.run.lives import Action, Event, Life
from orchestrator.run.phases import POLL, Phases
from orchestrator.run.service_specs import driver_spec, plane_spec
from orchestrator.run.session import Exited, NodeEvent, Started
from orchestrator.run.specs import Address, addresses
from orchestrator.run.waves import Services, in_the_end, waves
from orchestrator.scenario.cell import Cell
from orchestrator.scenario.system import DRIVER, PROXY, System

if TYPE_CHECKING:
    from orchestrator.backends.compose.session import SystemSession


class SystemConductor(Phases):
    """`services` are all of the project's, as Compose tells them; `folder` is the scenario's, absolute."""

    def __init__(self, cell: Cell, system: System, session: SystemSession, services: Services, folder: str) -> None:
        super().__init__(cell, session, (*services, PROXY, DRIVER))
        self._system = system
        self._session: SystemSession = session
        self._folder = folder
        self._waves = waves(system, services)
        self._in_the_end = in_the_end(system, services)
        self._services = frozenset((*services, PROXY))

    # Phases

    @property
    def _remaining(self) -> list[str]:
        return list(self._planes)

    @property
    def _callers(self) -> Collection[str]:
        return (DRIVER,)

    @property
    def _return(self) -> int:
        """Longer than the session's own patience, so that it tells what was not ready."""
        return self._system.project.start * MILLISECOND + 3 * PATIENCE

    def _start(self) -> Program:
        yield from self._arm()
        if "toxiproxy" in self._planes:  # its server is a service of the project
            self._session.proxy()
            yield from self._alive_all([PROXY])
        for plane in self._planes:
            self._session.start(plane, plane, 1)
        self._session.start(DRIVER, "node", 1)
        yield from self._alive_all((*self._planes, DRIVER))
        targets: dict[str, Address] = {}
        for plane in self._planes:
            command = {"type": "configure", **self._session.plane(plane), **plane_spec(self._cell, self._system)}
            targets |= addresses((yield from self._call(plane, command)))
        for link in self._system.links:
            yield from self._upstream(link.service, None, 0)
        for wave in self._waves:
            self._session.up(wave)
            yield from self._alive_all(wave.services)
        target = f"{self._session.address(self._planes[0])}:{targets[self._system.entry.name][1]}"
        spec = driver_spec(self._cell, self._folder, target)
        yield from self._call(DRIVER, {"type": "configure", "spec": spec})
        for gate, trigger in self._cell.driver.gates.items():  # what it waits for may have come by now
            yield from self._agenda.when(trigger, partial(self._release_gate, gate))

    def _alive_all(self, names: Iterable[str]) -> Program:
        lives = [self._lives.latest(name) for name in sorted(names)]
        what = f"{', '.join(life.name for life in lives)} to be ready"
        yield from self._until(lambda: all(map(self._lives.runs, lives)), self._return, what)

    def _disarm(self) -> Program:
        """Services have no failpoints."""
        return
        yield

    def _open_gates(self) -> Program:
        for gate in sorted(self._cell.driver.gates):
            yield from self._release_gate(gate)
        yield from self._call(DRIVER, {"type": "healed"})

    def _release_gate(self, gate: int) -> Program:
        yield from self._call(DRIVER, {"type": "release", "gate": gate})

    def _drain(self) -> Program:
        """Planes hold nothing back any more. Connections stay: services keep theirs to one another open."""
        yield from self._stop([DRIVER])
        now = yield Now()
        cap = now + self._cell.settle * MILLISECOND
        while now <= cap:
            statuses = []
            for plane in self._planes:
                statuses.append((yield from self._call(plane, {"type": "status"})))
            if not any(status["held"] or status["pending"] for status in statuses):
                return
            now = yield Now()
            yield Sleep(now + POLL)
        self._phase("drain-capped")

    def _leave(self) -> Program:
        """Services are taken down with their project."""
        ours = [life for life in self._lives.leave() if life.name not in self._services]
        for life in ours:
            self._session.command(life.name, {"type": "stop"})
        yield from self._ending(ours)

    # Services

    def _ready(self, life: Life) -> Program:
        name = life.name
        if any(link.service == name for link in self._system.links):
            yield from self._upstream(name, self._session.service(name), life.epoch)
        self._act("ready", name)
        self._happen(life, Event.READY)
        yield from self._agenda.occur(f"{name} ready", life.epoch)

    def _named(self, life: Life) -> str:
        return life.name

    def _exited(self, event: Exited) -> Program:
        if self._reaped(event) is Action.MOURN:
            life = Life(event.name, event.epoch)
            yield from self._upstream(life.name, None, life.epoch)
            yield from self._agenda.occur(f"{life.name} down", life.epoch)
            yield from self._plan_restart(life.name, self._lives.restart_of(life.name))

    def _restart(self, name: str) -> Program:
        if self._lives.may(self._lives.latest(name), Event.RESTART):
            life = self._lives.succeed(name)
            self._act("restart", name)
            self._session.restart(name, life.epoch, self._in_the_end[name])
        return
        yield

    def _upstream(self, name: str, address: str | None, epoch: int) -> Program:
        for link in self._system.links:
            if link.service == name:
                place = None if address is None else [address, link.port]
                command: dict[str, Any] = {"type": "upstream", "link": link.name, "address": place, "epoch": epoch}
                for plane in self._planes:
                    yield from self._call(plane, {**self._session.plane(plane), **command})

    # Events

    def _started(self, event: Started) -> Program:
        life = Life(event.name, event.epoch)
        self._happen(life, Event.STARTED)
        if life.name in self._services:
            yield from self._ready(life)

    def _node_event(self, event: NodeEvent) -> Program:
        if event.event == "heal-gate":
            self._at_heal.add(event.name)
        elif event.event == "done":
            self._done.add(event.name)
        else:
            yield from self._agenda.occur(f"{event.name} {event.event}", event.number)
