"""Packet faults: what the kernel does to the packets of direct links, in the nodes' network namespaces."""

from __future__ import annotations

from chaos.hop import Note
from chaos.planes.loop import Loop
from chaos.planes.packet.plane import PacketPlane


def make(loop: Loop, note: Note) -> PacketPlane:
    """A plane that needs no loop: the kernel does everything between two commands."""
    return PacketPlane(note)
