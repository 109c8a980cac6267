"""The Toxiproxy plane: a real Toxiproxy server (2.x) stands in every link and does its toxics to the byte streams."""

from __future__ import annotations

from chaos.hop import Note
from chaos.planes.loop import Loop
from chaos.planes.toxiproxy.plane import ToxiproxyPlane


def make(loop: Loop, note: Note) -> ToxiproxyPlane:
    return ToxiproxyPlane(note)
