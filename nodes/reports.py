"""PURE: what a node tells its orchestrator unasked: the events that a scenario's triggers wait for."""

from __future__ import annotations

from collections.abc import Iterable

from nodes.ops import Program, Put, Queue


class Reports:
    """Events go to `outbox` as control messages; `wanted` are (event, number) pairs, the rest is not told."""

    def __init__(self, outbox: Queue, wanted: Iterable[tuple[str, int]] = ()) -> None:
        self._outbox = outbox
        self._wanted = frozenset(wanted)

    def tell(self, event: str, number: int, client: int = 0) -> Program:
        """Tell it if somebody asked for it."""
        if (event, number) in self._wanted:
            yield from self.announce(event, number, client)

    def announce(self, event: str, number: int = 0, client: int = 0) -> Program:
        """Tell it in any case."""
        yield Put(self._outbox, {"type": "event", "event": event, "number": number, "client": client})
