"""The local backend for faults on packets: every node in a network namespace of its own, on this machine."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from chaos.planes.packet.entering import may_enter
from chaos.supports import PlaneName
from orchestrator.backends import Role, SessionError
from orchestrator.backends.local import CommandLine, LocalHost, command_line
from orchestrator.backends.processes import Supervisor, orchestrator_id
from orchestrator.backends.real import RealSession
from orchestrator.backends.switch import Owner, Switch
from orchestrator.scenario import Cell
from orchestrator.specs import planes

TOOLS = {"ip": "iproute2", "nsenter": "util-linux", "setpriv": "util-linux"}
WITHOUT_CAPABILITIES = ("setpriv", "--bounding-set=-all", "--inh-caps=-all", "--no-new-privs", "--")
"""setpriv(1): entering a namespace takes capabilities, and the node keeps none of them."""

_numbers = itertools.count(1)


def availability() -> str | None:
    """Why nodes cannot have namespaces here, and what to do; None if they can."""
    if not may_enter():
        return "this needs CAP_SYS_ADMIN and CAP_NET_ADMIN: run as root, or use --backend docker"
    missing = [f"{tool} ({package})" for tool, package in TOOLS.items() if shutil.which(tool) is None]
    return f"not on PATH: {', '.join(missing)}; install what is missing" if missing else None


class NamespaceHost(LocalHost):
    """This machine, with a network for one cell; see orchestrator.backends.host.Host.

    Nodes and the relay have namespaces; the other planes run beside the orchestrator. Raises SessionError.
    """

    def __init__(
        self, supervisor: Supervisor, home: Path, names: Sequence[str], commands: CommandLine = command_line
    ) -> None:
        if reason := availability():
            raise SessionError(f"packet faults need a network namespace for each node: {reason}")
        super().__init__(supervisor, home, self._command_line)
        self._plain = commands
        self.switch = Switch(Owner(supervisor.run, orchestrator_id(), next(_numbers)), names)

    def address(self, name: str) -> str:
        return self.switch.addresses.get(name, self.switch.host)

    def plane(self, name: PlaneName) -> dict[str, Any]:
        if name != "packet":
            return {"listen": self.address(name)}
        nodes = self.switch.addresses.items()
        return {"places": {node: {"address": address, "netns": self.switch.path(node)} for node, address in nodes}}

    def close(self) -> None:
        self.switch.close()

    def _command_line(self, name: str, role: Role, epoch: int, home: Path, engine: str | None) -> list[str]:
        command = self._plain(name, role, epoch, home, engine)
        if name not in self.switch.addresses:
            return command
        # nsenter, because `ip netns exec` would hide the mounts of control groups
        enter = ["nsenter", f"--net={self.switch.path(name)}", "--", *WITHOUT_CAPABILITIES]
        return [*enter, *command, "--control", self.switch.addresses[name]]


class NamespaceSession(RealSession):
    """Every process of one cell's run on this machine, in a network of the cell's. Raises SessionError."""

    def __init__(self, supervisor: Supervisor, home: Path, cell: Cell, commands: CommandLine = command_line) -> None:
        names = [*cell.servers, *cell.clients, *(plane for plane in planes(cell) if plane == "relay")]
        self._host = NamespaceHost(supervisor, home.absolute(), names, commands)
        try:
            super().__init__(home, lambda name, role: self._host)
        except BaseException:
            self._host.close()
            raise

    def close(self) -> None:
        super().close()
        self._host.close()  # also if no process was ever started there
