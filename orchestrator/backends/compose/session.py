"""A session of one system: the proxy and the driver are its processes, the project's services are steered beside them.

What is done to a service takes the engine a while, so it is done in a thread of its own, one thing after another; its
end is an event as of a process: Started, Stopped, Exited.
"""

from __future__ import annotations

import signal as signals
import time
from collections.abc import Callable
from pathlib import Path

from orchestrator.backends.compose.project import ComposeProject
from orchestrator.backends.compose.proxy import ProxyHost, ToxiproxyHost, answers
from orchestrator.backends.host import Host
from orchestrator.backends.processes import Supervisor
from orchestrator.backends.real import RealSession
from orchestrator.backends.this_machine import LocalHost, command_line
from orchestrator.backends.threads import workers
from orchestrator.run.readiness import Need
from orchestrator.run.session import Event, Exited, Lost, Role, SessionError, SignalName, Started, Stopped
from orchestrator.run.waves import Services, Wave
from orchestrator.scenario.system import PROXY, Project

Build = Callable[[float], None]


class SystemSession(RealSession):
    """See orchestrator.run.session.ProjectSession. `build` makes the images that services start from, within so many
    seconds."""

    def __init__(
        self,
        supervisor: Supervisor,
        project: ComposeProject,
        wanted: Project,
        services: Services,
        build: Build,
        home: Path,
    ) -> None:
        home = home.absolute()
        hosts: dict[Role, Host] = {
            "node": LocalHost(supervisor, home, command_line),
            "relay": ProxyHost(project, home),
            "toxiproxy": ToxiproxyHost(supervisor, project, home),
        }
        super().__init__(home, lambda name, role: hosts[role])
        self._project = project
        self._wanted = wanted
        self.services = services
        self.folder = str(Path(wanted.folder).absolute())
        self._build = build
        self._epochs: dict[str, int] = {}
        self._deadline: float | None = None
        self._acts = workers(1, "services")

    def up(self, wave: Wave) -> None:
        self._epochs |= dict.fromkeys(wave.services, 1)
        self._later(lambda: self._start(wave))

    def proxy(self) -> None:
        self._epochs[PROXY] = 1
        self._later(self._start_proxy)

    def restart(self, name: str, epoch: int, need: Need) -> None:
        self._epochs[name] = epoch
        self._later(lambda: self._start_again(name, epoch, need))

    def service(self, name: str) -> str:
        return self._project.address(name)

    def signal(self, name: str, signal: SignalName, epoch: int | None = None) -> None:
        if name not in self._epochs:
            super().signal(name, signal, epoch)
            return
        life = (name, self._epochs[name])
        self._later(lambda: self._perform(signal, *life))

    def close(self) -> None:
        self._acts.shutdown(wait=False, cancel_futures=True)
        self._project.abort()
        self._acts.shutdown(wait=True)
        super().close()

    def _start(self, wave: Wave) -> list[Event]:
        deadline = self._start_deadline()
        self._build(deadline - time.monotonic())
        self._project.up(wave.services, deadline)
        self._project.await_ready(wave.until, deadline)
        return [Started(name, 1) for name in wave.services]

    def _start_proxy(self) -> list[Event]:
        self._project.up([PROXY], self._start_deadline())
        answers(self._project.address(PROXY))
        return [Started(PROXY, 1)]

    def _start_again(self, name: str, epoch: int, need: Need) -> list[Event]:
        self._project.start(name)
        self._project.await_ready({name: need}, time.monotonic() + self._seconds)
        return [Started(name, epoch)]

    def _start_deadline(self) -> float:
        """One for the whole project: it begins with the first of its containers."""
        if self._deadline is None:
            self._deadline = time.monotonic() + self._seconds
        return self._deadline

    @property
    def _seconds(self) -> float:
        return self._wanted.start / 1000

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
            except Exception as error:  # unheard, it would have the run wait for what comes no more
                self._inbox.put(Lost("system", f"the project's services: {type(error).__name__}: {error}"))

        self._acts.submit(perform)
