"""A network of this machine for one cell: a network namespace for each node, joined by a bridge (ip-netns(8)).

Rules of this file:

1. The bridge is in a namespace of its own, so no packet between two nodes meets a filter of this machine's, such as
   the engine's policy to drop what is forwarded (br_netfilter).
2. The machine itself has one interface in it, by which it reaches the nodes' control endpoints. A namespace that goes
   takes its interfaces along, so whoever removes the namespaces has removed everything.
3. The names of the namespaces say whose they are, and where that one's id counts: what a killed run left is found
   without any other record, and what another place's run needs is not taken for it.
"""

from __future__ import annotations

import re
import secrets
import subprocess
from collections.abc import Iterable, Sequence
from contextlib import suppress
from ipaddress import IPv4Network
from pathlib import Path
from typing import NamedTuple

from orchestrator.backends.backend import Swept
from orchestrator.backends.leftovers import alive, place_mark
from orchestrator.backends.subnets import free, routed
from orchestrator.run.session import SessionError

NAMESPACES = Path("/run/netns")
"""Where ip-netns(8) keeps the names."""
BRIDGE = "+bridge"
"""In the place of a node's name, which has letters, digits and hyphens only."""
TAKEN = "File exists"
PATIENCE = 20.0
"""Seconds for a command that takes milliseconds."""

_NAME = re.compile(r"faultbed_([0-9a-f]{8})_([0-9a-f]+)_([0-9]+:[0-9.]+)_([0-9]+)_(.+)")


class Owner(NamedTuple):
    """The cell that a network is for: the `number`-th one of a run. `orchestrator` is "pid:born" at `place`, the
    mark of orchestrator.backends.leftovers."""

    place: str
    run: str
    orchestrator: str
    number: int

    def namespace(self, node: str) -> str:
        return f"faultbed_{self.place}_{self.run}_{self.orchestrator}_{self.number}_{node}"

    @property
    def interface(self) -> str:
        """This machine's end, in at most 15 characters (IFNAMSIZ)."""
        return f"fb{self.run[:8]}.{self.number % 10_000}"

    def __str__(self) -> str:
        return f"the network of cell {self.number} of run {self.run}, whose orchestrator {self.orchestrator} is gone"


class Switch:
    """The network, made at once. Raises SessionError, and has left nothing then.

    `addresses` are the nodes'; `host` is this machine's.
    """

    def __init__(self, owner: Owner, nodes: Sequence[str]) -> None:
        self._owner = owner
        try:
            self._namespaces([*nodes, BRIDGE])
            self._inside(BRIDGE, ["link add bridge type bridge", "link set bridge up"])
            ip("link", "add", owner.interface, "type", "veth", "peer", "name", "host", "netns", owner.namespace(BRIDGE))
            ip("link", "set", owner.interface, "up")
            self.host, self.addresses = self._addresses(nodes)
            self._plug(nodes)
        except BaseException:
            self.close()
            raise

    def path(self, node: str) -> str:
        """The file of a node's namespace."""
        return str(NAMESPACES / self._owner.namespace(node))

    def close(self) -> None:
        remove(self._owner)

    def _namespaces(self, names: Iterable[str]) -> None:
        ip("-batch", "-", text=_lines(f"netns add {self._owner.namespace(name)}" for name in names))

    def _addresses(self, nodes: Sequence[str]) -> tuple[str, dict[str, str]]:
        """-> this machine's, and those of the nodes."""
        subnet = self._claim(len(nodes) + 1)
        first = int(subnet.network_address) + 1
        addresses = [str(IPv4Network(first + n).network_address) for n in range(len(nodes) + 1)]
        device = self._owner.interface
        ip("address", "add", f"{addresses[0]}/{subnet.prefixlen}", "dev", device, "noprefixroute")
        self._prefix = subnet.prefixlen
        return addresses[0], dict(zip(nodes, addresses[1:], strict=True))

    def _claim(self, needed: int) -> IPv4Network:
        """A subnet that is ours as soon as its route is: the kernel takes the same route from one of two only."""
        for subnet in free(routed(ip("-j", "-4", "route", "show", "table", "all")), secrets.randbits(16)):
            if needed > subnet.num_addresses - 2:
                raise SessionError(f"{needed} addresses do not fit into {subnet}: use fewer nodes, or --backend docker")
            try:
                ip("route", "add", str(subnet), "dev", self._owner.interface)
            except SessionError as error:
                if TAKEN not in str(error):
                    raise
            else:
                return subnet
        raise SessionError("no private subnet is free: every one is routed somewhere (`ip -4 route show table all`)")

    def _plug(self, nodes: Sequence[str]) -> None:
        """Every node's eth0, and its other end in the bridge."""
        lines = ["link set host master bridge up"]
        for number, node in enumerate(nodes):
            lines.append(f"link add port{number} type veth peer name eth0 netns {self._owner.namespace(node)}")
            lines.append(f"link set port{number} master bridge up")
        self._inside(BRIDGE, lines)
        for node, address in self.addresses.items():
            up = ["link set lo up", f"address add {address}/{self._prefix} dev eth0", "link set eth0 up"]
            self._inside(node, up)

    def _inside(self, name: str, lines: Iterable[str]) -> None:
        ip("-n", self._owner.namespace(name), "-batch", "-", text=_lines(lines))


def leftovers() -> list[Owner]:
    """Networks of this place whose orchestrator does not live any more; those of a living one are left alone."""
    here = place_mark()
    return sorted({owner for owner, _ in _present() if owner.place == here and not alive(owner.orchestrator)})


def remove(owner: Owner) -> None:
    """Take a network away, whatever there is of it. Processes in it must have ended. Raises SessionError."""
    with suppress(SessionError):  # the interface may be gone, with its other end or because it never was
        ip("link", "delete", owner.interface)
    for found, name in _present():
        if found == owner:
            _delete(name)


def sweep() -> Swept:
    """Take away every network that a killed run left. Its processes must have ended."""
    done, left = [], []
    for owner in leftovers():
        try:
            remove(owner)
            done.append(f"removed {owner}")
        except SessionError as error:
            left.append(f"could not remove {owner}: {error}")
    return Swept(done, left)


def ip(*arguments: str, text: str = "") -> str:
    """Run ip(8) -> what it printed. Raises SessionError."""
    command = ["ip", *arguments]
    try:
        run = subprocess.run(command, input=text, capture_output=True, text=True, timeout=PATIENCE, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise SessionError(f"{' '.join(command)}: {error}; network namespaces need iproute2") from error
    if run.returncode:
        raise SessionError(f"{' '.join(command)} failed: {run.stderr.strip()}")
    return run.stdout


def _delete(name: str) -> None:
    try:
        ip("netns", "delete", name)
    except SessionError:
        if (NAMESPACES / name).exists():  # else another `clean` was quicker
            raise


def _present() -> list[tuple[Owner, str]]:
    """(owner, name) of every namespace of this kind."""
    if not NAMESPACES.exists():
        return []
    matches = (_NAME.fullmatch(path.name) for path in NAMESPACES.iterdir())
    return [(Owner(match[1], match[2], match[3], int(match[4])), match[0]) for match in matches if match]


def _lines(lines: Iterable[str]) -> str:
    return "".join(f"{line}\n" for line in lines)
