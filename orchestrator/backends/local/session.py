"""One cell's run on this machine, on loopback."""

from __future__ import annotations

from pathlib import Path

from orchestrator.backends.processes import Supervisor
from orchestrator.backends.real import RealSession
from orchestrator.backends.this_machine import CommandLine, LocalHost, command_line


class LocalSession(RealSession):
    """Every process of it on this machine."""

    def __init__(self, supervisor: Supervisor, home: Path, commands: CommandLine = command_line) -> None:
        host = LocalHost(supervisor, home.absolute(), commands)
        super().__init__(home, lambda name, role: host)
