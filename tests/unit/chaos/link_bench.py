"""A link on a loop that a test turns: its evidence, and rounds until something has happened."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from chaos.planes.loop import Loop
from nodes.wire.record import Kind

LINK = "client -> server"
TIMEOUT = 100


class Evidence:
    """What was noted."""

    def __init__(self) -> None:
        self.notes: list[tuple[Kind, dict[str, Any]]] = []

    def __call__(self, kind: Kind, *numbers: int, detail: dict[str, Any] | None = None) -> None:
        self.notes.append((kind, detail or {}))

    def of(self, kind: Kind) -> list[dict[str, Any]]:
        return [detail for noted, detail in self.notes if noted is kind]


def turn_until(loop: Loop, done: Callable[[], bool]) -> None:
    """Rounds of the loop, each of which waits until there is something to do."""
    while not done():
        for key, mask in loop._selector.select(loop._tick()):
            ready = loop._watched.get(key.fileobj)  # type: ignore[call-overload]
            if ready is not None:
                ready(mask)


@contextmanager
def loops() -> Iterator[Loop]:
    """A loop, whose sockets are closed in the end."""
    made = Loop()
    yield made
    for sock in list(made._watched):
        made.close(sock)
