"""PURE: a ledger's rows, one after another, through the model of its service."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from nodes.rpc.service import Model
from nodes.wire.record import Kind
from orchestrator.history.index import Index, Life
from orchestrator.history.merged import Event, Operation

Attempt = tuple[Life, Operation, int]
"""What a process was asked once: itself, the operation, the attempt's number."""
Asked = Mapping[Attempt, list[tuple[str, Any]]]
"""The procedure and the argument of each execution."""


class Step(NamedTuple):
    """A row, and what the model says of it: the state after it and its result."""

    row: Event
    state: Any
    result: Any


def attempt(event: Event) -> Attempt:
    return (event.node, event.epoch), event.operation, event.attempt


def asked(index: Index) -> Asked:
    found: dict[Attempt, list[tuple[str, Any]]] = defaultdict(list)
    for event in index.of_kind(Kind.EXECUTE):
        found[attempt(event)].append((event.detail.get("f", ""), event.detail.get("value")))
    return found


def replay(model: Model, rows: list[Event], executions: Asked) -> Iterator[Step]:
    """Until a row of which the journal does not say what was asked, since its copies had been altered on their way."""
    state = model.init
    for row in rows:
        calls = executions.get(attempt(row), [])
        if not calls or any(call != calls[0] for call in calls):
            return
        state, result = model.step(state, *calls[0])
        yield Step(row, state, result)
