"""A packet plane in the test's process, and datagrams between nodes that it does its faults to."""

from __future__ import annotations

import selectors
import socket
from dataclasses import asdict
from typing import Any, Protocol

from running import until

from chaos.faults.fault import Fault
from chaos.planes.packet import nft
from chaos.planes.packet.plane import PacketPlane
from nodes.wire.record import Kind

LINK = "client -> server"
COUNT = 12
"""Packets of a test; a multiple of every `every`."""


class Network(Protocol):
    """Nodes "server", "client" and "other", each with a network of its own."""

    def places(self) -> dict[str, dict[str, str]]: ...

    def socket(self, node: str, kind: int) -> socket.socket:
        """A socket of the node's network, bound to its address."""

    def run(self, node: str, *command: str) -> str:
        """-> the standard output of a command in the node's network."""


class Rig:
    """A plane with one direct link, and rules that are off."""

    def __init__(self, network: Network, server: socket.socket, *faults: Fault) -> None:
        self.notes: list[tuple[Kind, dict[str, Any]]] = []
        self.plane = PacketPlane(self._note)
        rules = [
            {"index": n, "kind": type(fault).__name__, "active": False, **asdict(fault)}
            for n, fault in enumerate(faults)
        ]
        link = {"name": LINK, "transport": _transport(server), "source": "client", "target": "server", "epoch": 1}
        link |= {"upstream": list(server.getsockname()), "rules": [rule for rule in rules if "link" in rule]}
        whole = [rule for rule in rules if "link" not in rule]
        self.address: list[Any] = self.plane.obey(
            {"type": "configure", "seed": 7, "links": [link], "rules": whole, "places": network.places()}
        )["addresses"][LINK]

    def switch(self, active: bool, index: int = 0) -> None:
        assert self.plane.obey({"type": "rule", "index": index, "active": active}) == {}

    def counted(self) -> dict[tuple[str, str], int]:
        """Packets by link and direction."""
        counts = [detail for kind, detail in self.notes if kind is Kind.COUNTER]
        return {(detail["link"], detail["direction"]): detail["packets"] for detail in counts}

    def switches(self) -> list[bool]:
        return [detail["active"] for kind, detail in self.notes if kind is Kind.RULE]

    def _note(self, kind: Kind, *numbers: int, detail: dict[str, Any]) -> None:
        self.notes.append((kind, detail))


def _transport(sock: socket.socket) -> str:
    return "udp" if sock.type == socket.SOCK_DGRAM else "tcp"


TRIES = 30
"""Seconds that a new network has until a packet comes through it."""


class Datagrams:
    """A client and a server, and somebody from elsewhere."""

    def __init__(self, network: Network, *, connected: bool = False) -> None:
        self._network = network
        self.server = network.socket("server", socket.SOCK_DGRAM)
        self.client = network.socket("client", socket.SOCK_DGRAM)
        self.other = network.socket("other", socket.SOCK_DGRAM)
        if connected:
            self.client.connect(self.server.getsockname())
        for sender, receiver in ((self.client, self.server), (self.other, self.server), (self.server, self.client)):
            _introduce(sender, receiver)

    def asked(self, count: int = COUNT) -> list[int]:
        """Numbers of the requests that reach the server, out of 1..count."""
        return self.through(self.client, self.server, "server", count)

    def answered(self, count: int = COUNT) -> list[int]:
        return self.through(self.server, self.client, "client", count)

    def through(self, sender: socket.socket, receiver: socket.socket, node: str, count: int = COUNT) -> list[int]:
        """What arrives at `node` of 1..count: the kernel's counters tell when the others are lost."""
        before = self._lost(node)
        for number in range(1, count + 1):
            sender.sendto(bytes([number]), receiver.getsockname())
        arrived: list[int] = []
        with selectors.DefaultSelector() as selector:
            selector.register(receiver, selectors.EVENT_READ)

            def all_accounted() -> bool:
                while selector.select(0):
                    arrived.append(receiver.recv(100)[0])
                return len(arrived) + self._lost(node) - before == count

            until(all_accounted, f"{count} packets to arrive at {node} or be counted")
        return arrived

    def _lost(self, node: str) -> int:
        counters = nft.counted(self._network.run(node, *nft.LIST))
        return sum(counter.packets for counter in counters.values())


def _introduce(sender: socket.socket, receiver: socket.socket) -> None:
    """Their kernels learn where they are (RFC 826) before anything is in the way: a packet for whose receiver nobody
    answers is neither received nor counted."""
    with selectors.DefaultSelector() as selector:
        selector.register(receiver, selectors.EVENT_READ)
        for _ in range(TRIES):
            sender.sendto(b"\0", receiver.getsockname())
            if selector.select(1):
                break
        while selector.select(0):
            assert receiver.recv(100) == b"\0"
