"""PURE: what a hop puts on record."""

from __future__ import annotations

from collections import Counter
from typing import Any

from chaos.decisions import PASS, Decision, parameters
from chaos.identity import Chunk, Direction, Key
from nodes.wire.record import Kind, Note


class Notes:
    """Of one link."""

    def __init__(self, link: str, note: Note) -> None:
        self._link = link
        self._note = note
        self._cut_off: Counter[str] = Counter()

    def decision(self, key: Key | Chunk, connection: int, rule: int | None, decision: Decision | None) -> None:
        """None: it is lost, since there is no room in front of a slow path, or the upstream is down."""
        detail = {"connection": connection, "rule": rule, "act": decision.act if decision else "lost"}
        if decision is not None and decision is not PASS:
            detail |= parameters(decision)
        self.message(Kind.DECISION, key, detail)

    def message(self, kind: Kind, key: Key | Chunk, detail: dict[str, Any]) -> None:
        """DECISION or RELEASE of a message."""
        detail["link"], detail["direction"] = key.link, key.direction
        if isinstance(key, Key):
            detail["occurrence"] = key.occurrence
            self._note(kind, key.client, key.seq, key.attempt, detail=detail)
        else:
            detail |= {"occurrence": 1, "chunk": key.chunk, "replayable": False}
            self._note(kind, detail=detail)

    def switched(self, rule: int, active: bool) -> None:
        self._note(Kind.RULE, detail={"rule": rule, "active": active})

    def upstream(self, up: bool, epoch: int) -> None:
        self._note(Kind.UPSTREAM, detail={"link": self._link, "up": up, "epoch": epoch})

    def unidentified(self, connection: int, direction: Direction, reason: str) -> None:
        detail = {"link": self._link, "connection": connection, "direction": direction, "reason": reason}
        self._note(Kind.UNIDENTIFIED, detail=detail)

    def broken(self, connection: int, reason: str) -> None:
        self._note(Kind.BROKEN, detail={"link": self._link, "connection": connection, "reason": reason})

    def cut_off(self, reason: str) -> None:
        """A bound was met. A burst of them is told by its first one, and counted."""
        self._cut_off[reason] += 1
        if self._cut_off[reason] == 1:
            self._bound(reason, 1)

    def within(self, reason: str) -> None:
        """There is room again: the burst is over."""
        count = self._cut_off.pop(reason, 0)
        if count > 1:
            self._bound(reason, count - 1)

    def close(self) -> None:
        """Tell the rest of the bursts that go on."""
        for reason in list(self._cut_off):
            self.within(reason)

    def _bound(self, reason: str, count: int) -> None:
        self._note(Kind.BOUND, detail={"link": self._link, "reason": reason, "count": count})
