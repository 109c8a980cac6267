"""The local backend for faults on packets: every node in a network namespace of its own, on this machine."""

from __future__ import annotations

import itertools
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from chaos.planes.packet.availability import netem
from chaos.planes.packet.entering import may_enter
from chaos.supports import PlaneName
from orchestrator.backends.leftovers import orchestrator_id, place_mark
from orchestrator.backends.local.switch import Owner, Switch
from orchestrator.backends.processes import Supervisor
from orchestrator.backends.real import RealSession
from orchestrator.backends.this_machine import CommandLine, LocalHost, command_line
from orchestrator.run.session import Role, SessionError
from orchestrator.run.specs import planes
from orchestrator.scenario.cell import Cell

TOOLS = {"ip": "iproute2", "nsenter": "util-linux", "setpriv": "util-linux"}
WITHOUT_CAPABILITIES = ("setpriv", "--bounding-set=-all", "--inh-caps=-all", "--no-new-privs", "--")
"""setpriv(1): entering a namespace takes capabilities, and the node keeps none of them."""

_numbers = itertools.count(1)


def availability() -> str | None:
    """Why nodes cannot have namespaces here, and what to do; None if they can."""
    if sys.platform != "linux":
        return "they are Linux's: use --backend docker"
    if not may_enter():
        return "this needs CAP_SYS_ADMIN and CAP_NET_ADMIN: run as root, or use --backend docker"
    missing = [f"{tool} ({package})" for tool, package in TOOLS.items() if shutil.which(tool) is None]
    return f"not on PATH: {', '.join(missing)}; install what is missing" if missing else None


class NamespaceHost(LocalHost):
    """This machine, with a network for one cell; see orchestrator.backends.host.Host.

    Who has an address in `switch`, nodes and the relay, runs in its namespace there; the other planes run beside the
    orchestrator. The switch is not closed with the host.
    """

    def __init__(
        self, supervisor: Supervisor, home: Path, switch: Switch, commands: CommandLine = command_line
    ) -> None:
        super().__init__(supervisor, home, self._command_line)
        self._switch = switch
        self._plain = commands

    def address(self, name: str) -> str:
        return self._switch.addresses.get(name, self._switch.host)

    def plane(self, name: PlaneName) -> dict[str, Any]:
        if name != "packet":
            return {"listen": self.address(name)}
        nodes = self._switch.addresses.items()
        return {"places": {node: {"address": address, "netns": self._switch.path(node)} for node, address in nodes}}

    def _command_line(self, name: str, role: Role, epoch: int, home: Path, engine: str | None) -> list[str]:
        command = self._plain(name, role, epoch, home, engine)
        if name not in self._switch.addresses:
            return command
        # nsenter, because `ip netns exec` would hide the mounts of control groups
        enter = ["nsenter", f"--net={self._switch.path(name)}", "--", *WITHOUT_CAPABILITIES]
        return [*enter, *command, "--control", self._switch.addresses[name]]


class NamespaceSession(RealSession):
    """Every process of one cell's run on this machine, in a network of the cell's. Raises SessionError."""

    def __init__(self, supervisor: Supervisor, home: Path, cell: Cell, commands: CommandLine = command_line) -> None:
        if any(fault.discipline == "netem" for fault in cell.faults) and (reason := netem()):
            raise SessionError(f"a fault of the scenario is netem's, which cannot be had here: {reason}")
        relay = [plane for plane in planes(cell) if plane == "relay"]
        self._switch = switch(supervisor.run, [*cell.servers, *cell.clients, *relay])
        try:
            host = NamespaceHost(supervisor, home.absolute(), self._switch, commands)
            super().__init__(home, lambda name, role: host)
        except BaseException:
            self._switch.close()
            raise

    def close(self) -> None:
        """The network goes last, also if no process was ever started in it."""
        try:
            super().close()
        finally:
            self._switch.close()


def switch(run: str, names: Sequence[str]) -> Switch:
    """A network for one cell of a run. Raises SessionError."""
    if reason := availability():
        raise SessionError(f"packet faults need a network namespace for each node: {reason}")
    return Switch(Owner(place_mark(), run, orchestrator_id(), next(_numbers)), names)
