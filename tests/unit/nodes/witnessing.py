"""A witness that keeps what programs tell it."""

from __future__ import annotations

from typing import Any

from nodes.wire.record import Kind, Record


class Witnessing:
    """What is noted and passed, in order, at no time."""

    def __init__(self) -> None:
        self.notes: list[Record] = []
        self.passages: list[tuple[str, int, int, int]] = []

    def note(
        self,
        kind: Kind,
        client: int = 0,
        seq: int = 0,
        attempt: int = 0,
        process: int = 0,
        detail: dict[str, Any] | None = None,
    ) -> None:
        self.notes.append(Record(0, kind, client, seq, attempt, process, detail or {}))

    def passage(self, name: str, client: int, seq: int, attempt: int) -> None:
        self.passages.append((name, client, seq, attempt))

    def of(self, *kinds: Kind) -> list[Record]:
        return [noted for noted in self.notes if noted.kind in kinds]
