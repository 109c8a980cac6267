"""The local backend: processes on this machine, under one supervisor, on loopback, with their evidence in a folder."""

from __future__ import annotations

import os
import queue
import secrets
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from nodes import ledger
from nodes.clock import clock_domain, now
from nodes.control import TOKEN_VARIABLE
from nodes.journal import JournalWriter
from nodes.ops import Queue
from nodes.wire.record import Kind, start_detail
from orchestrator.backends import ORCHESTRATOR, Collected, Event, Evidence, Role, SessionError, SignalName
from orchestrator.backends.evidence import read_journals, read_ledgers
from orchestrator.backends.node_process import NodeProcess
from orchestrator.backends.processes import PATIENCE, Supervisor

CommandLine = Callable[[str, Role, int, Path, str | None], list[str]]


def command_line(name: str, role: Role, epoch: int, home: Path, engine: str | None) -> list[str]:
    """How a process is started: isolated (-I), so that no folder of the user's shadows ours."""
    isolated = [sys.executable, "-I", "-m"]
    if role == "relay":
        return [*isolated, "chaos", "--name", name, "--home", str(home)]
    chosen = [] if engine is None else ["--engine", engine]
    return [*isolated, "nodes", "--name", name, "--epoch", str(epoch), "--home", str(home), *chosen]


class LocalSession:
    """Real processes of one cell's run; see orchestrator.backends.Session.

    `home` is made if need be; it must not have journals of an earlier run. Events are put by other threads into an
    inbox, from which `pump` moves them to `events` in the thread that runs the program.
    """

    evidence: Evidence = "real"

    def __init__(self, supervisor: Supervisor, home: Path, commands: CommandLine = command_line) -> None:
        home.mkdir(parents=True, exist_ok=True)
        self.home = home.absolute()
        self.events = Queue()
        self._supervisor = supervisor
        self._commands = commands
        self._token = secrets.token_hex(32)
        self._inbox: queue.SimpleQueue[Event | type[KeyboardInterrupt]] = queue.SimpleQueue()
        self._processes: dict[tuple[str, int], NodeProcess] = {}
        self._latest: dict[str, NodeProcess] = {}
        self._last_id = 0
        self._closed = False
        self._journal = JournalWriter(self.home / f"{ORCHESTRATOR}.1.journal")
        self._note_start()

    def start(self, name: str, role: Role, epoch: int, engine: str | None = None) -> None:
        latest = self._latest.get(name)
        if name == ORCHESTRATOR or (name, epoch) in self._processes or (latest and not latest.gone.is_set()):
            raise SessionError(f"{name} cannot start as epoch {epoch}: the name is taken, or a predecessor still runs")
        log = self.home / f"{name}.{epoch}.log"
        process = NodeProcess(name, epoch, log, bytes.fromhex(self._token), self._inbox.put)
        self._processes[name, epoch] = self._latest[name] = process
        argv = self._commands(name, role, epoch, self.home, engine)
        self._supervisor.spawn(self._key(process), argv, {TOKEN_VARIABLE: self._token}, self.home, log, process.take)

    def command(self, name: str, command: dict[str, Any]) -> int:
        self._last_id += 1
        self._process(name).send(self._last_id, command)
        return self._last_id

    def signal(self, name: str, signal: SignalName) -> None:
        self._supervisor.signal(self._key(self._process(name)), signal)

    def archive(self, name: str) -> None:
        if not self._process(name).gone.is_set():
            raise SessionError(f"the ledger of {name} cannot be archived while it runs")
        ledger.archive(self.home / f"{name}.ledger")

    def note(
        self,
        kind: Kind,
        client: int = 0,
        seq: int = 0,
        attempt: int = 0,
        process: int = 0,
        detail: dict[str, Any] | None = None,
    ) -> None:
        self._journal.append(now(), kind, client, seq, attempt, process, detail)

    def collect(self) -> Collected:
        killed = {key: process.killed for key, process in self._processes.items()}
        required = {key for key, process in self._processes.items() if process.configured}
        killed[ORCHESTRATOR, 1] = False
        required.add((ORCHESTRATOR, 1))
        names = list(self._latest)
        return Collected(read_journals(self.home, killed, required), read_ledgers(self.home, names))

    def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        for process in self._processes.values():
            if not process.gone.is_set():
                self._supervisor.signal(self._key(process), "kill")
        for process in self._processes.values():
            process.close(PATIENCE)
        self._journal.close()

    def __enter__(self) -> LocalSession:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def pump(self, deadline: int | None) -> bool:
        """Wait until `deadline` (monotonic nanoseconds) for one event and move it to `events` -> whether one came.

        Raises KeyboardInterrupt if `interrupt` was called.
        """
        timeout = None if deadline is None else max(deadline - now(), 0) / 1e9
        try:
            item = self._inbox.get(timeout=timeout)
        except queue.Empty:
            return False
        if item is KeyboardInterrupt:
            raise KeyboardInterrupt
        self.events.items.append(item)
        return True

    def interrupt(self) -> None:
        """Have KeyboardInterrupt thrown into the program at what it waits for; from any thread or signal handler."""
        self._inbox.put(KeyboardInterrupt)

    def _key(self, process: NodeProcess) -> str:
        return f"{self.home}/{process.name}.{process.epoch}"

    def _process(self, name: str) -> NodeProcess:
        try:
            return self._latest[name]
        except KeyError:
            raise SessionError(f"{name} was never started") from None

    def _note_start(self) -> None:
        domain, evidence = clock_domain(), self.evidence
        detail = start_detail(ORCHESTRATOR, 1, ORCHESTRATOR, domain=domain, evidence=evidence, pid=os.getpid())
        self.note(Kind.START, detail=detail)
