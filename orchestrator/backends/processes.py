"""The orchestrator's handle on its supervisor process: spawn and signal by key, from any thread."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import psutil

from faultbed import forked, part
from nodes.control import ORCHESTRATOR_VARIABLE, RUN_VARIABLE
from orchestrator.backends.host import Ended, Failed, Line, Report, Spawned, Stopped
from orchestrator.backends.leftovers import orchestrator_id
from orchestrator.backends.remedies import remedy
from orchestrator.backends.threads import NoThread, start
from orchestrator.run.session import SessionError

COMMAND = [*part.command("supervisor"), forked.ROOM]
PATIENCE = 5.0
"""Seconds for the supervisor to kill and reap its children once its pipe has ended."""

GONE = "the supervisor process of this run has ended; run again"


class Supervisor:
    """One for a whole `faultbed run`, shared by the cells in several threads.

    Reports about a process are given to its callback in the supervisor's reader thread, in order, until Ended or
    Failed: the callback must not wait. Every process has the run and the orchestrator in its environment, by which
    those that a killed run left behind are found. Making one raises SessionError where there is no process or thread
    for it.
    """

    def __init__(self, run: str, command: Sequence[str] = COMMAND) -> None:
        self.run = run
        self._environment = {RUN_VARIABLE: run, ORCHESTRATOR_VARIABLE: orchestrator_id()}
        self._lock = threading.Lock()
        self._writing = threading.Lock()  # the reader must not wait for who writes to a supervisor that waits for it
        self._callbacks: dict[str, Callable[[Report], None]] = {}
        self._pids: dict[str, int] = {}
        self._gone: str | None = None
        self._process = _start(command, self._environment)
        try:
            self._reader = start(self._read, "the supervisor's reader")
        except NoThread:
            self._process.kill()
            self._process.communicate()
            raise

    @property
    def pid(self) -> int:
        return self._process.pid

    def spawn(
        self,
        key: str,
        argv: Sequence[str],
        environment: dict[str, str],
        folder: Path,
        log: Path,
        report: Callable[[Report], None],
        files: int | None = None,
    ) -> None:
        """Start a process in `folder`, its standard error appended to `log`, with at most `files` open descriptors.

        `key` is new in this run.
        """
        with self._lock:
            if key in self._callbacks:
                raise ValueError(f"a process with the key {key!r} runs already")
            gone = self._gone
            if gone is None:
                self._callbacks[key] = report
        if gone is not None:
            report(Failed(gone))
            return
        environment = {**self._environment, **environment}
        command = {"spawn": key, "argv": list(argv), "env": environment, "cwd": str(folder), "log": str(log)}
        self._write({**command, "files": files})

    def signal(self, key: str, name: str) -> None:
        """Signal the process and what it started: "kill", "stop" or "continue". No effect on one that has ended."""
        self._write({"signal": key, "name": name})

    def close(self) -> None:
        """Kill and reap every process, and end the supervisor. Closing twice is allowed."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.close()
        except BrokenPipeError:
            pass  # it is gone already
        try:
            self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join(PATIENCE)
        if not self._reader.is_alive():  # else somebody has the other end of its pipe still
            self._process.stdout.close()

    def __enter__(self) -> Supervisor:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _write(self, command: dict[str, Any]) -> None:
        data = json.dumps(command).encode() + b"\n"
        assert self._process.stdin is not None
        with self._writing:
            try:
                self._process.stdin.write(data)
                self._process.stdin.flush()
            except (OSError, ValueError):
                pass  # the reader tells everybody that the supervisor is gone

    def _read(self) -> None:
        """However it ends, whoever waits for a report gets one."""
        reason = GONE
        try:
            self._take_all()
        except Exception as error:
            reason = f"what became of the processes is not known: {type(error).__name__}: {error}"
        self._abandon(reason)

    def _take_all(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if not line.endswith(b"\n"):
                break  # killed in the middle of a message
            self._take(json.loads(line))

    def _take(self, message: dict[str, Any]) -> None:
        match message:
            case {"spawned": key, "pid": pid}:
                self._pids[key] = pid
                self._callbacks[key](Spawned(pid))
            case {"line": key, "text": text}:
                self._callbacks[key](Line(text))
            case {"stopped": key}:
                self._callbacks[key](Stopped())
            case {"exited": key, "signal": number, "code": code}:
                self._forget(key)(Ended(number, code))
            case {"failed": key, "error": error}:
                self._forget(key)(Failed(error))

    def _forget(self, key: str) -> Callable[[Report], None]:
        self._pids.pop(key, None)
        with self._lock:
            return self._callbacks.pop(key)

    def _abandon(self, reason: str) -> None:
        """Nothing more is heard of it: kill what it left behind, and tell whoever still waits for a report."""
        with self._lock:
            self._gone = reason
            callbacks = list(self._callbacks.values())
            self._callbacks.clear()
        for pid in self._pids.values():
            _kill_if_of(self.run, pid)
        for report in callbacks:
            report(Failed(reason))


def _start(command: Sequence[str], environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
    """In a session of its own: Ctrl-C at the terminal is the orchestrator's to handle. It has the environment itself:
    what is forked from it is found by that."""
    own = {**os.environ, **environment}
    pipe = subprocess.PIPE
    try:
        return subprocess.Popen(command, stdin=pipe, stdout=pipe, start_new_session=True, env=own)
    except OSError as error:
        reason = f"{error}{remedy(error)}"
        raise SessionError(f"the supervisor of this run's processes cannot be started: {reason}") from None


def _kill_if_of(run: str, pid: int) -> None:
    """Kill the group of a process of this run. Its parent is gone, so the pid may be somebody else's by now."""
    try:
        if psutil.Process(pid).environ().get(RUN_VARIABLE) == run:
            os.killpg(pid, signal.SIGKILL)
    except (psutil.Error, ProcessLookupError):
        pass  # gone already, or not ours
