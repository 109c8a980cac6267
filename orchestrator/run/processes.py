"""PURE: how the run's program starts, configures and ends its processes, and how each of them comes back.

A server, or a service of a project, is *ready* when whoever stands before it has been told where it is, and *down* when
that one has closed its listener after its death. A service has nothing to be configured with: it is ready as soon as
its container is, which its session says with Started.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from chaos.faults.processes import Restart
from chaos.supports import PLANE_OF
from nodes.ops import Get, Now, Program
from nodes.units import MILLISECOND
from nodes.wire.addresses import written
from nodes.wire.record import Kind
from orchestrator.run.attention import PATIENCE, Attention, RunFailed, patience
from orchestrator.run.lives import Action, Event, Life, Lives, State, ending
from orchestrator.run.order import Step
from orchestrator.run.session import Exited, ProjectSession, Session, SignalName, Started
from orchestrator.run.specs import Place, addresses, client_spec, driver_spec, plane_spec, planes, server_spec
from orchestrator.run.waves import in_the_end
from orchestrator.scenario.cell import AnyLink, Cell, Client, Server
from orchestrator.scenario.system import PROXY, SystemLink

SIGNALS: Mapping[Action, SignalName] = {Action.KILL: "kill", Action.FREEZE: "stop", Action.THAW: "continue"}
LEAVING = 2_000 * MILLISECOND
"""For processes to end after Ctrl-C, whose patience is short; who is late is killed."""


class Processes(Attention):
    """The part of a conductor that knows every process and its role. `project` is the session of a system's cell."""

    def __init__(self, cell: Cell, session: Session, project: ProjectSession | None = None) -> None:
        super().__init__(session)
        self._cell = cell
        self._project = project
        self._planes = planes(cell)
        self._services = frozenset((*project.services, PROXY)) if project else frozenset[str]()
        self._lives = Lives(dict.fromkeys((*self._planes, *cell.nodes, *self._services)))
        self._targets: dict[str, Place] = {}
        """Where links are called at: a server's addresses, then those of the plane before it."""
        self._first: dict[str, dict[str, Place]] = {}
        """A server's in its first epoch."""
        self._healed = False

    def _happen(self, life: Life, event: Event) -> Action:
        """-> what is still to be done, a signal that is due being sent."""
        action = self._lives.happen(life, event)
        if action in SIGNALS:
            self._session.signal(life.name, SIGNALS[action], life.epoch)
        elif action is Action.TELL:
            self._session.command(life.name, {"type": "stop"}, life.epoch)
        return action

    # The start, step by step

    def _take(self, step: Step) -> Program:
        if step.do == "start":
            yield from self._start_all(step)
        for name in step.names:
            if step.do == "configure":
                self._targets |= yield from self._configure(name)
            elif step.do == "unserved":
                yield from self._tell_upstream(Life(name, 0), None)
            elif step.do == "ready":
                self._happen(Life(name, 1), Event.READY)  # another's ready may have killed it, and it came back
                yield from self._agenda.occur(f"{name} ready", 1)

    def _start_all(self, step: Step) -> Program:
        limit, what = patience(step.names), "every process to start"
        if self._project is not None:
            limit, what = self._return, f"{', '.join(sorted(step.names))} to be ready"
        if self._project is not None and step.wave is not None:
            self._project.up(step.wave)
        elif self._project is not None and step.names == (PROXY,):
            self._project.proxy()
        else:
            for name in step.names:
                self._launch(name)
        lives = [self._lives.latest(name) for name in step.names]
        yield from self._until(lambda: not set(lives) & set(self._lives.within({State.ABSENT})), limit, what)

    @property
    def _return(self) -> int:
        """Nanoseconds in which whoever was killed must be ready again at heal.

        So long, too, may nothing be completed in the load while nothing is scheduled: its cap, with until-done. A
        project's is longer than its session's own patience, so that it tells what was not ready.
        """
        system = self._cell.system
        return PATIENCE if system is None else system.project.start * MILLISECOND + 3 * PATIENCE

    def _launch(self, name: str) -> None:
        epoch, cell = self._lives.epochs[name], self._cell
        if name in self._planes:
            self._session.start(name, name, epoch)
        elif self._project is not None and cell.system is not None and name in self._services:
            self._project.restart(name, epoch, in_the_end(cell.system, self._project.services)[name])
        elif isinstance(node := cell.nodes[name], Server | Client):
            self._session.start(name, "node", epoch, node.launched, node.limits)
        else:
            self._session.start(name, "node", epoch)

    def _configure(self, name: str) -> Program:
        """-> where its links are called at."""
        place = self._session.plane(name) if name in self._planes else {}
        answer = yield from self._call(name, {"type": "configure", **place, **self._told(name)})
        found = addresses(answer)
        self._first.setdefault(name, found)
        return found

    def _told(self, name: str) -> dict[str, Any]:
        cell = self._cell
        if name in self._planes:
            return plane_spec(cell, name, self._targets)
        if name in cell.servers:
            host, epoch = self._session.address(name), self._lives.epochs[name]
            spec = server_spec(cell, name, epoch, host, self._first.get(name), self._targets)
            return {"spec": {**spec, "failpoints": []} if self._healed else spec}
        if name in cell.clients:
            return {"spec": client_spec(cell, name, 1, self._session.address(name), self._targets)}
        assert self._project is not None, "only a system has a driver"
        assert cell.system is not None, "only a system has a project"
        host, port = self._session.address(self._planes[0]), written(self._targets[cell.system.entry.name])[1]
        return {"spec": driver_spec(cell, self._project.folder, f"{host}:{port}")}

    # What happens to them

    def _started(self, event: Started) -> Program:
        life = Life(event.name, event.epoch)
        if self._happen(life, Event.STARTED) is Action.CONFIGURE or life.name in self._services:
            places = yield from self._places(life.name)
            yield from self._tell_upstream(life, places)
            if life.name in self._services:
                self._act("ready", life.name)
            self._happen(life, Event.READY)
            yield from self._agenda.occur(f"{life.name} ready", life.epoch)

    def _places(self, name: str) -> Program:
        """-> link -> (host, port), of a server that runs."""
        if self._project is None or self._cell.system is None:
            return (yield from self._configure(name))
        links = [link for link in self._cell.system.links if link.server == name]
        host = self._project.service(name) if links else ""
        return {link.name: (host, link.port) for link in links}

    def _tell_upstream(self, life: Life, places: Mapping[str, Place] | None) -> Program:
        """Whoever stands before it is told where it is, None: nowhere."""
        for link in self._cell.paths:
            if link.server == life.name:
                yield from self._upstream(link, None if places is None else places[link.name], life.epoch)

    def _upstream(self, link: AnyLink | SystemLink, address: Place | None, epoch: int) -> Program:
        plane = PLANE_OF[link.via]
        if plane in self._planes:  # nobody stands in a direct link without faults
            place = None if address is None else written(address)
            command = {"type": "upstream", "link": link.name, "address": place, "epoch": epoch}
            yield from self._call(plane, {**self._session.plane(plane), **command})

    def _mourn(self, life: Life) -> Program:
        """It was killed: nobody is to be called there, and it comes back when it is to."""
        yield from self._tell_upstream(life, None)
        yield from self._agenda.occur(f"{life.name} down", life.epoch)
        yield from self._plan_restart(life.name, self._lives.record(life).restart)

    def _plan_restart(self, name: str, restart: Restart | None) -> Program:
        if restart is None:
            return  # heal brings it back

        def later() -> Program:
            now = yield Now()
            self._agenda.at(now + restart.after * MILLISECOND, lambda: self._restart(name))

        if restart.when is None:
            yield from later()
        else:
            yield from self._agenda.when(restart.when, later)

    def _restart(self, name: str) -> Program:
        """Start the next epoch of one that is down, once."""
        yield from ()
        if not self._lives.may(self._lives.latest(name), Event.RESTART):
            return
        if (self._lives.restart_of(name) or Restart()).state == "archive":
            self._act("archive", name)
            self._session.archive(name)
        self._lives.succeed(name)
        self._act("restart", name)
        self._launch(name)

    # Their ends

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
            named = life.name if self._project else f"{life.name} (epoch {life.epoch})"
            raise RunFailed(f"{named} ended: signal {event.signal}, exit code {event.code}")
        return self._happen(life, how)

    # The orchestrator's own journal

    def _phase(self, phase: str) -> None:
        self._session.note(Kind.PHASE, detail={"phase": phase})

    def _act(
        self, act: str, node: str, fault: int | None = None, epoch: int | None = None, why: str | None = None
    ) -> None:
        detail = {"act": act, "node": node, "epoch": epoch or self._lives.epochs[node], "fault": fault}
        self._session.note(Kind.ACT, detail=detail if why is None else {**detail, "why": why})
