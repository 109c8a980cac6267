"""Running a tool in a network namespace of this machine."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

from chaos.planes.packet.namespace import NamespaceError, NamespaceGone

PATIENCE = 20.0
"""Seconds that a tool may take; they take milliseconds."""


CAP_NET_ADMIN = 12
CAP_SYS_ADMIN = 21


class NamedNamespace:
    """A namespace by its file, such as /run/netns/NAME (ip-netns(8)); entering needs CAP_SYS_ADMIN (setns(2))."""

    def __init__(self, path: str) -> None:
        self._path = path

    def run(self, argv: Sequence[str], text: str = "") -> str:
        if not Path(self._path).exists():
            raise NamespaceGone(f"the network namespace {self._path} is gone")
        return execute(["nsenter", f"--net={self._path}", "--", *argv], text, self._path)


def may_enter() -> bool:
    """Whether this process has the capability that setns(2) and nftables need (capabilities(7))."""
    status = Path("/proc/self/status").read_text()
    effective = next(int(line.split()[1], 16) for line in status.splitlines() if line.startswith("CapEff:"))
    return all(effective >> capability & 1 for capability in (CAP_NET_ADMIN, CAP_SYS_ADMIN))


def execute(command: Sequence[str], text: str, where: str) -> str:
    """Run a command on this machine -> its standard output. Raises NamespaceError, NamespaceGone."""
    environment = {**os.environ, "LC_ALL": "C"}
    try:
        run = subprocess.run(
            command, input=text, capture_output=True, text=True, timeout=PATIENCE, env=environment, check=False
        )
    except FileNotFoundError as error:
        raise NamespaceError(
            f"{command[0]} is not on PATH: packet faults need nftables, iproute2, util-linux"
        ) from error
    except subprocess.TimeoutExpired as error:
        raise NamespaceError(f"{' '.join(command)}: no end within {PATIENCE:.0f} s") from error
    if run.returncode:
        raise failure(command, where, run.stderr)
    return run.stdout


def failure(command: Sequence[str], where: str, stderr: str) -> NamespaceError:
    """What a tool's failure means, by what it said."""
    said = stderr.strip() or "it said nothing"
    what = f"{' '.join(command)} failed at {where}: {said}"
    if f"nsenter: cannot open {where}" in stderr:
        return NamespaceGone(what)
    if "Operation not permitted" in stderr or "Permission denied" in stderr:
        return NamespaceError(f"{what}; entering a network namespace needs root (CAP_SYS_ADMIN and CAP_NET_ADMIN)")
    if "failed to execute" in stderr:
        return NamespaceError(f"{what}; packet faults need nftables and iproute2 on PATH")
    return NamespaceError(what)
