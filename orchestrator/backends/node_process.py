"""One epoch of one real process: from its spawning over its control connection to its reaping, told as events."""

from __future__ import annotations

import re
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from time import monotonic
from typing import Any

from nodes.control import FENCED, ControlError
from nodes.control import Ended as ConnectionEnded
from nodes.witness import FIRED_LINE
from orchestrator.backends.control_client import HANDSHAKE_SECONDS, ControlClient
from orchestrator.backends.host import Ended, Failed, Host, Line, Report, Spawned
from orchestrator.backends.host import Stopped as ProcessStopped
from orchestrator.backends.threads import NoThread, start
from orchestrator.run.session import Answer, Event, Exited, Fired, Lost, NodeEvent, SessionError, Started, Stopped

GRACE = 15.0
"""Seconds in which a process must have ended after its control connection did."""
LOG_LINES = 10
_FIRED = re.compile(rf"{FIRED_LINE} ([0-9]{{1,6}})")
_TAIL = 8192


class NodeProcess:
    """Rule: Exited is the last event of an epoch, so it waits until the control connection was read to its end.

    `take` gets reports in a thread of its host's; the control connection has a thread of its own.
    """

    def __init__(
        self, name: str, epoch: int, host: Host, log: Path, token: bytes, put: Callable[[Event], None]
    ) -> None:
        self.host = host
        self.name = name
        self.epoch = epoch
        self.exit: Ended | None = None
        self.gone = threading.Event()
        self.configured = False
        self._log = log
        self._token = token
        self._put = put
        self._client: ControlClient | None = None
        self._thread: threading.Thread | None = None
        self._failure: str | None = None
        self._lost = False
        self._configure = 0

    @property
    def killed(self) -> bool:
        """Whether its journal may end in an incomplete record: a signal ended it, or it has not been reaped."""
        return self.exit is None or self.exit.signal != 0

    def take(self, report: Report) -> None:
        match report:
            case Spawned():
                return
            case ProcessStopped():
                self._put(Stopped(self.name, self.epoch))
                return
            case Line(text) if self._thread is not None:
                if fired := _FIRED.fullmatch(text):
                    self._put(Fired(self.name, self.epoch, int(fired[1])))
                return
            case Line(text):
                self._begin(text)
                return
            case Ended():
                self.exit = report
            case Failed(reason):
                self._failure = reason
        self.gone.set()
        if self._failure is not None and self._client is not None:
            self._client.close()  # it may go on running, but nothing that it says can be relied on
        if self._thread is None:
            self._finish()

    def _begin(self, line: str) -> None:
        """Where there is no thread for its connection, the run is lost; this one belongs to every process."""
        if self._failure is not None:
            return
        try:
            self._thread = start(self._converse, f"the control connection to {self.name}", line)
        except NoThread as error:
            self._failure = str(error)
            self._lose(self._failure)

    def send(self, number: int, command: dict[str, Any]) -> None:
        """Raises SessionError before Started, BadFrame for a command that is too large. An ended process gets none."""
        if self._client is None:
            raise SessionError(f"{self.name} has not started, it cannot be told to {command.get('type')!r}")
        if command.get("type") == "configure":
            self._configure = number
        try:
            self._client.send({**command, "id": number})
        except ConnectionEnded:
            pass  # Exited or Lost tells

    def close(self, deadline: float) -> None:
        """After it was killed: wait until it is reaped and its connection closed, or until `deadline` (monotonic)."""
        self.gone.wait(max(0, deadline - monotonic()))
        if self._client is not None:
            self._client.close()
        if self._thread is not None:
            self._thread.join(max(0, deadline - monotonic()))

    def _converse(self, line: str) -> None:
        try:
            problem = self._talk(line)
        except Exception as error:  # nobody else would hear of it
            problem = f"its control connection failed: {type(error).__name__}: {error}"
        if problem is not None:
            if self._client is not None or not self.gone.wait(GRACE):  # one that died at start is told with its log
                self._lose(problem)
        elif not self.gone.wait(GRACE):
            self._lose(f"its control connection ended, but it goes on running{self._tail()}")
        self.gone.wait()
        self._finish()

    def _talk(self, line: str) -> str | None:
        """-> why the two sides did not understand each other, None if the connection simply ended."""
        try:
            connection = self.host.connect(self.name, self.epoch, line, HANDSHAKE_SECONDS)
            client = ControlClient(connection, self._token)
        except ControlError as error:
            return f"{error}{self._tail()}"
        except OSError as error:
            return f"no control connection to it ({line}): {error}{self._tail()}"
        self._client = client
        if self._failure is not None:
            client.close()
        self._put(Started(self.name, self.epoch))
        try:
            client.listen(self._message)
        except ConnectionEnded:
            return None
        except ControlError as error:
            return f"its control connection failed: {error}"
        return None

    def _message(self, message: dict[str, Any]) -> None:
        match message:
            case {"type": "answer", "id": int(number), **body}:
                self.configured |= number == self._configure and "error" not in body
                self._put(Answer(self.name, number, body))
            case {"type": "event", "event": str(event), "number": int(number), "client": int(client)}:
                self._put(NodeEvent(self.name, event, number, client))
            case _:
                raise ControlError(f"{message!r:.200} is neither an answer nor an event")

    def _finish(self) -> None:
        if self.exit is None:
            self._lose(self._failure or "nothing is known of its end")
            return
        if self._client is None:
            self._lose(f"it died at start, {_how(self.exit)}{self._tail()}")
        elif self.exit.code not in (0, FENCED) or self.exit.signal not in (0, signal.SIGKILL):
            self._lose(f"it failed, {_how(self.exit)}{self._tail()}")
        self._put(Exited(self.name, self.epoch, self.exit.signal, self.exit.code))

    def _lose(self, reason: str) -> None:
        if not self._lost:
            self._lost = True
            self._put(Lost(self.name, f"{self.name} (epoch {self.epoch}): {reason}"))

    def _tail(self) -> str:
        lines = _last_lines(self._log)
        return f"; the end of its log {self._log}:\n{lines}" if lines else f"; its log {self._log} is empty"


def _how(exit: Ended) -> str:
    return f"killed by {signal.Signals(exit.signal).name}" if exit.signal else f"exit code {exit.code}"


def _last_lines(path: Path) -> str:
    try:
        with path.open("rb") as log:
            log.seek(max(path.stat().st_size - _TAIL, 0))
            lines = log.read().decode("utf-8", "replace").splitlines()
    except OSError:
        return ""
    return "\n".join(f"    {line}" for line in lines[-LOG_LINES:])
