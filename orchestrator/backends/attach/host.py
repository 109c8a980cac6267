"""Processes of one cell on one agent's host; see orchestrator.backends.host.Host."""

from __future__ import annotations

import socket
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from chaos.supports import PlaneName
from nodes.control import parse_control_line
from orchestrator.backends.attach.agent import Agent
from orchestrator.backends.attach.placement import data_address
from orchestrator.backends.attach.protocol import BadRequest, file_name
from orchestrator.backends.host import Launch, Report, Tell
from orchestrator.run.session import SessionError, SignalName


class AgentHost:
    """Its evidence is fetched into `home`. Raises SessionError: the agent is gone."""

    def __init__(self, agent: Agent, home: Path) -> None:
        self._agent = agent
        self._home = home
        self._cell: int | None = agent.open_cell()

    def spawn(self, launch: Launch, tell: Tell) -> None:
        def take(report: Report, log: str) -> None:
            try:
                if log:
                    launch.log.write_text(log, encoding="utf-8")  # its end, until all of it is fetched
            except OSError:
                pass  # the fetch fails too, and tells
            tell(report)

        self._agent.spawn(self._opened, launch, take)

    def signal(self, name: str, epoch: int, signal: SignalName) -> None:
        command = {"type": "signal", "cell": self._opened, "name": name, "epoch": epoch, "signal": signal}
        self._agent.tell(command, lambda body: None)  # one that was not obeyed is noticed by what does not happen

    def connect(self, name: str, epoch: int, line: str, timeout: float) -> socket.socket:
        parse_control_line(line)
        return self._agent.tunnel((self._opened, name, epoch), timeout)

    def address(self, name: str) -> str:
        return data_address(self._agent.entry, self._agent.offer)

    def plane(self, name: PlaneName) -> dict[str, Any]:
        if name != "relay":
            raise SessionError(f"{self._agent} runs no {name} plane: it runs beside the orchestrator")
        return {"listen": self.address(name)}

    def archive(self, name: str) -> None:
        """One round trip to the agent, and a file renamed there. Raises SessionError."""
        self._agent.ask({"type": "archive", "cell": self._opened, "name": name})

    def fetch(self, names: Iterable[str]) -> None:
        try:
            listed = self._agent.ask({"type": "list", "cell": self._opened, "names": list(names)})
            for name, size in listed["files"].items():
                self._fetch(file_name(name), size)
        except (SessionError, BadRequest) as error:
            raise OSError(f"the evidence there could not be fetched: {error}") from error

    def _fetch(self, name: str, size: int) -> None:
        with (self._home / name).open("wb") as file:
            while file.tell() < size:
                command = {"type": "read", "cell": self._opened, "file": name, "offset": file.tell()}
                data = self._agent.ask(command)["data"]
                if not data:
                    raise OSError(f"{self._agent}: {name} has become shorter while it was fetched")
                file.write(data)

    def close(self) -> None:
        """Have the agent forget this cell. If it is gone, so are its processes and files: nothing is left to undo."""
        if self._cell is None:
            return
        cell, self._cell = self._cell, None
        self._agent.tell({"type": "close", "cell": cell}, lambda body: None)

    @property
    def _opened(self) -> int:
        if self._cell is None:
            raise SessionError(f"the cell is closed on {self._agent}")
        return self._cell
