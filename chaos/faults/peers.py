"""PURE: faults that are peers: connections beside those of calls, which do not behave."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, Literal

from chaos.faults.fault import Fault
from chaos.faults.models import Brings, of_streams
from chaos.faults.surroundings import ForeignLink, Surroundings
from chaos.problem import Problem
from nodes.wire.transports import TRANSPORTS

Behaviour = Literal["silent", "half", "unread", "flood", "resets"]
MOST = 4096
"""Connections of one crowd."""
HEAVY: dict[Behaviour, int] = {"unread": 16}
"""Behaviours that fill every buffer on the way, some megabytes for each connection, and the most of them."""
ASKING: tuple[Behaviour, ...] = ("unread", "flood")
"""Those who want answers."""


@dataclass(frozen=True, kw_only=True)
class Crowd(Fault):
    """So many connections, which the link's client opens beside its own, over what the link goes through.

    `silent` say nothing. `half` send the first half of a request, and no more. `unread` ask again and again, and read
    no answer. `flood` ask without waiting for answers, and read them. `resets` send half a request and reset (RST), and
    others take their places. What they ask is nobody's operation: a plain call, without a header of ours. Who is sent
    away comes again; in the end all leave without a word, which is a reset too.
    """

    crowd: Behaviour
    link: str
    connections: int

    verb: ClassVar[str] = "crowd"
    brings: ClassVar[Brings] = of_streams("delay")
    by_client: ClassVar[bool] = True
    samples: ClassVar[bool] = True

    @property
    def title(self) -> str:
        return f"{self.verb} {self.crowd}"

    @property
    def beside(self) -> int:
        return self.connections

    @property
    def asks(self) -> bool:
        return self.crowd in ASKING

    def problems(self) -> Iterator[Problem]:
        most = HEAVY.get(self.crowd, MOST)
        if not 1 <= self.connections <= most:
            yield Problem(("connections",), f"expected 1 to {most}")

    def problems_in(self, cell: Surroundings) -> Iterator[Problem]:
        way = self.way(cell)
        if way is None:
            return
        row = TRANSPORTS[way.transport]
        if not row.connected or row.bounded:
            reason = "which keeps the boundaries of messages" if row.connected else "which has no connections"
            message = f"{self.link} is {way.transport}, {reason}; expected transport: tcp or unix-stream"
            yield Problem((self.verb,), message)

    def problems_in_system(self, link: ForeignLink | None) -> Iterator[Problem]:
        yield Problem((self.verb,), "a system's callers are its own; expected a fault of its planes or processes")
