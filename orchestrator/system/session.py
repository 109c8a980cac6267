"""A session of one system: the proxy and the driver are its processes, the project's services are steered beside them.

What is done to a service takes the engine a while, so it is done in a thread of its own, one thing after another; its
end is an event as of a process: Started, Stopped, Exited.
"""

from __future__ import annotations

import signal as signals
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from orchestrator.backends import Event, Exited, Lost, Role, SessionError, SignalName, Started, Stopped
from orchestrator.backends.host import Host
from orchestrator.backends.local import LocalHost, command_line
from orchestrator.backends.processes import Supervisor
from orchestrator.backends.real import RealSession
from orchestrator.system.override import PROXY
from orchestrator.system.project import ComposeProject
from orchestrator.system.proxy import ProxyHost, ToxiproxyHost, answers
from orchestrator.system.scenario import Project


class SystemSession(RealSession):
    """See orchestrator.backends.Session; the methods of its own are about services."""

    def __init__(self, supervisor: Supervisor, project: ComposeProject, wanted: Project, home: Path) -> None:
        home = home.absolute()
        hosts: dict[Role, Host] = {
            "node": LocalHost(supervisor, home, command_line),
            "relay": ProxyHost(project, home),
            "toxiproxy": ToxiproxyHost(supervisor, project, home),
        }
        super().__init__(home, lambda name, role: hosts[role])
        self._project = project
        self._wanted = wanted
        self._services: dict[str, int] = {}
        self._acts = ThreadPoolExecutor(1, "services")

    def up(self, services: Iterable[str], epoch: int = 1) -> None:
        """Start services; leads to Started of each, once it is ready, or to Lost."""
        names = list(services)
        self._services |= dict.fromkeys(names, epoch)
        self._later(lambda: self._start(names, epoch))

    def service(self, name: str) -> str:
        """Its address, while it runs. Raises SessionError."""
        return self._project.address(name)

    def signal(self, name: str, signal: SignalName, epoch: int | None = None) -> None:
        if name not in self._services:
            super().signal(name, signal, epoch)
            return
        life = (name, self._services[name])
        self._later(lambda: self._perform(signal, *life))

    def close(self) -> None:
        self._acts.shutdown(wait=False, cancel_futures=True)
        self._project.abort()
        self._acts.shutdown(wait=True)
        super().close()

    def _start(self, names: list[str], epoch: int) -> list[Event]:
        seconds = self._wanted.start / 1000
        if PROXY in names:
            self._project.up(names, False, seconds)
            answers(self._project.address(PROXY))
        else:
            self._project.up(names, self._wanted.ready == "healthy", seconds)
        return [Started(name, epoch) for name in names]

    def _perform(self, signal: SignalName, name: str, epoch: int) -> list[Event]:
        if signal == "kill":
            self._project.kill(name)
            return [Exited(name, epoch, signals.SIGKILL, 0)]
        if signal == "stop":
            self._project.pause(name)
            return [Stopped(name, epoch)]
        self._project.unpause(name)
        return []

    def _later(self, act: Callable[[], list[Event]]) -> None:
        def perform() -> None:
            try:
                for event in act():
                    self._inbox.put(event)
            except SessionError as error:
                self._inbox.put(Lost("system", str(error)))

        self._acts.submit(perform)
