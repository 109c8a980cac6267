"""This machine as a host, under one supervisor, on loopback: the local backend's, and that of planes of other ones."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, cast

from chaos.supports import PlaneName
from faultbed import part
from nodes import sqlite_ledger
from nodes.control import TOKEN_VARIABLE, parse_control_line
from orchestrator.backends.host import PARTS, Launch, PartName, Tell
from orchestrator.backends.processes import Supervisor
from orchestrator.run.session import Role, SessionError, SignalName

LOOPBACK = "127.0.0.1"

CommandLine = Callable[[str, Role, int, Path, str | None], list[str]]


def command_line(name: str, role: Role, epoch: int, home: Path, engine: str | None) -> list[str]:
    """How a process is started on this machine."""
    common = ["--name", name, "--home", str(home)]
    if role != "node":
        return [*part.command("chaos"), *common, "--plane", role]
    chosen = [] if engine is None else ["--engine", engine]
    return [*part.command("nodes"), *common, "--epoch", str(epoch), *chosen]


def part_line(name: str, arguments: Sequence[str]) -> list[str]:
    """How a part is started here that is no process of a cell."""
    return [*part.command(cast(PartName, name)), *arguments]


class LocalHost:
    """This machine; see orchestrator.backends.host.Host. Processes keep their evidence in `home` themselves."""

    def __init__(self, supervisor: Supervisor, home: Path, commands: CommandLine) -> None:
        self._supervisor = supervisor
        self._home = home
        self._commands = commands

    def spawn(self, launch: Launch, tell: Tell) -> None:
        if launch.role in PARTS:
            argv = part_line(launch.role, launch.arguments)
        else:
            argv = self._commands(launch.name, cast(Role, launch.role), launch.epoch, self._home, launch.engine)
        key = self._key(launch.name, launch.epoch)
        token = {TOKEN_VARIABLE: launch.token}
        self._supervisor.spawn(key, argv, token, self._home, launch.log, tell, launch.limits.files)

    def signal(self, name: str, epoch: int, signal: SignalName) -> None:
        self._supervisor.signal(self._key(name, epoch), signal)

    def connect(self, name: str, epoch: int, line: str, timeout: float) -> socket.socket:
        return socket.create_connection(parse_control_line(line), timeout)

    def address(self, name: str) -> str:
        return LOOPBACK

    def plane(self, name: PlaneName) -> dict[str, Any]:
        if name == "packet":
            raise SessionError("packets on loopback are everybody's: packet faults need --backend docker")
        return {"listen": LOOPBACK}

    def archive(self, name: str) -> None:
        sqlite_ledger.archive(self._home / f"{name}.ledger")

    def fetch(self, names: Iterable[str]) -> None:
        """Everything is in the cell's folder from the beginning."""

    def close(self) -> None:
        """Nothing was made but processes."""

    def _key(self, name: str, epoch: int) -> str:
        return f"{self._home}/{name}.{epoch}"
