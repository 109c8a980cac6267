"""A session of real processes on any hosts, with their evidence in a folder."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from pathlib import Path
from time import monotonic
from typing import Any

from chaos.supports import PlaneName
from nodes.clock import clock_domain, now
from nodes.journal import JournalWriter, journal_name
from nodes.ops import Queue
from nodes.wire.record import Kind, Note, start_detail
from orchestrator.backends.evidence import read_journals, read_ledgers
from orchestrator.backends.host import Host, Launch
from orchestrator.backends.inbox import Inbox, Nothing
from orchestrator.backends.node_process import NodeProcess
from orchestrator.history.collected import Collected
from orchestrator.run.session import ORCHESTRATOR, Event, Evidence, Role, SessionError, SignalName
from orchestrator.scenario.cell import NO_LIMITS, Limits

PATIENCE = 30.0
"""Seconds for all processes together to be reaped after they were killed, and for their connections to be read to the
end: they end side by side, and where one cannot be reached, as at an agent that is stopped, neither can the others."""

Place = Callable[[str, Role], Host]
"""Where a process of this name and role runs."""


class RealSession:
    """Real processes of one cell's run; see orchestrator.run.session.Session.

    `home` is made if need be; it must not have journals of an earlier run. Events are put by other threads into an
    inbox, from which `pump` moves them to `events` in the thread that runs the program.
    """

    evidence: Evidence = "real"

    def __init__(self, home: Path, place: Place) -> None:
        home.mkdir(parents=True, exist_ok=True)
        self.home = home.absolute()
        self.events = Queue()
        self._place = place
        self._hosts: dict[str, Host] = {}
        self._token = secrets.token_hex(32)
        self._inbox: Inbox[Event | type[KeyboardInterrupt]] = Inbox()
        self._processes: dict[tuple[str, int], NodeProcess] = {}
        self._latest: dict[str, NodeProcess] = {}
        self._last_id = 0
        self._closed = False
        self._unfetched: OSError | None = None
        self._journal = JournalWriter(self.home / journal_name(ORCHESTRATOR, 1), now)
        self.note: Note = self._journal.note
        self._note_start()

    def start(self, name: str, role: Role, epoch: int, engine: str | None = None, limits: Limits = NO_LIMITS) -> None:
        latest = self._latest.get(name)
        if name == ORCHESTRATOR or (latest and latest.epoch >= epoch):
            raise SessionError(f"{name} cannot start as epoch {epoch}: that name, or that epoch, is taken")
        host = self._hosts[name] = self._place(name, role)
        log = self.home / f"{name}.{epoch}.log"
        process = NodeProcess(name, epoch, host, log, bytes.fromhex(self._token), self._inbox.put)
        self._processes[name, epoch] = self._latest[name] = process
        host.spawn(Launch(name, role, epoch, engine, self._token, log, limits), process.take)

    def address(self, name: str) -> str:
        return self._process(name).host.address(name)

    def plane(self, name: PlaneName) -> dict[str, Any]:
        return self._process(name).host.plane(name)

    def command(self, name: str, command: dict[str, Any], epoch: int | None = None) -> int:
        self._last_id += 1
        self._process(name, epoch).send(self._last_id, command)
        return self._last_id

    def signal(self, name: str, signal: SignalName, epoch: int | None = None) -> None:
        process = self._process(name, epoch)
        process.host.signal(name, process.epoch, signal)

    def archive(self, name: str) -> None:
        if not self._process(name).gone.is_set():
            raise SessionError(f"the ledger of {name} cannot be archived while it runs")
        self._process(name).host.archive(name)

    def collect(self) -> Collected:
        killed = {key: process.killed for key, process in self._processes.items()}
        required = {key for key, process in self._processes.items() if process.configured}
        killed[ORCHESTRATOR, 1] = False
        required.add((ORCHESTRATOR, 1))
        if self._unfetched is not None:
            raise self._unfetched
        return Collected(read_journals(self.home, killed, required), read_ledgers(self.home, list(self._latest)))

    def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        for process in self._processes.values():
            if not process.gone.is_set():
                process.host.signal(process.name, process.epoch, "kill")
        deadline = monotonic() + PATIENCE
        for process in self._processes.values():
            process.close(deadline)
        for host in self._every_host():
            self._leave(host)
        self._journal.close()

    def _leave(self, host: Host) -> None:
        """Nothing runs there any more: take what was left, then undo what was made, whether or not that worked."""
        try:
            host.fetch([name for name in self._latest if self._hosts[name] is host])
        except OSError as error:
            named = error.filename or not error.strerror  # a write names no file
            self._unfetched = error if named else OSError(error.errno, error.strerror, str(self.home))
        finally:
            host.close()

    def __enter__(self) -> RealSession:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def pump(self, deadline: int | None) -> bool:
        """Wait until `deadline` (monotonic nanoseconds) for one event and move it to `events` -> whether one came.

        Raises KeyboardInterrupt if `interrupt` was called.
        """
        timeout = None if deadline is None else max(deadline - now(), 0) / 1e9
        try:
            item = self._inbox.get(timeout)
        except Nothing:
            return False
        if item is KeyboardInterrupt:
            raise KeyboardInterrupt
        self.events.items.append(item)
        return True

    def interrupt(self) -> None:
        """Have KeyboardInterrupt thrown into the program at what it waits for; from any thread or signal handler."""
        self._inbox.put(KeyboardInterrupt)

    def _every_host(self) -> list[Host]:
        return list({id(host): host for host in self._hosts.values()}.values())

    def _process(self, name: str, epoch: int | None = None) -> NodeProcess:
        try:
            return self._latest[name] if epoch is None else self._processes[name, epoch]
        except KeyError:
            raise SessionError(f"{name} was never started") from None

    def _note_start(self) -> None:
        domain, evidence = clock_domain(), self.evidence
        detail = start_detail(ORCHESTRATOR, 1, ORCHESTRATOR, domain=domain, evidence=evidence, pid=os.getpid())
        self.note(Kind.START, detail=detail)
