"""PURE: a run's merged history, the input of every checker."""

from __future__ import annotations

from typing import Any, NamedTuple

from nodes.wire.record import Kind

Operation = tuple[int, int]


class Event(NamedTuple):
    """One record of one process's journal, or of the orchestrator's, or a ledger's row (kind EFFECT)."""

    order: int
    time: int
    domain: str
    node: str
    epoch: int
    kind: Kind
    client: int
    seq: int
    attempt: int
    process: int
    detail: dict[str, Any]

    @property
    def operation(self) -> Operation:
        return (self.client, self.seq)


class History(NamedTuple):
    """`events` are in causal order as far as it is known: by time within a clock domain, journals kept in order."""

    evidence: str
    events: tuple[Event, ...]
