"""Planes that run in a process of their own, driven by the same few commands; each is imported only when asked for.

configure {seed, links: [...], rules: [...], and what the place says}   -> {addresses: {link: [host, port]}}
upstream {link, address | null, epoch}    the server is ready there, or down
rule {index, active}    switch a rule
release {index}    let go what a rule holds until then
heal {}    every rule off for good
status {}    -> {held, pending, connections, passed: {link: {epoch: n}}}
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any, Protocol

from chaos.planes.loop import Loop
from nodes.wire.record import Note

NAMES: Mapping[str, str] = {
    "relay": "chaos.planes.relay",
    "toxiproxy": "chaos.planes.toxiproxy.plane",
    "packet": "chaos.planes.packet.plane",
}
"""Planes, and the module of each with its `make(loop, note)`."""


class Plane(Protocol):
    def obey(self, command: dict[str, Any]) -> dict[str, Any]:
        """-> the body of the answer. Raises ValueError, whose text becomes the refusal; nothing has changed then."""

    def close(self) -> None:
        """Undo whatever it did, if heal has not; the process is about to end. Never fails."""


def make(name: str, loop: Loop, note: Note) -> Plane:
    """A plane of one of NAMES. `note` journals."""
    plane: Plane = import_module(NAMES[name]).make(loop, note)
    return plane
