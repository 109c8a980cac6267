"""PURE: what a run covered: pairs of an opportunity and the state that the mechanism was in when it was offered."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from orchestrator.checkers.views import Views
from orchestrator.history.index import Trace

MANY = 3
"""From which on one more makes no difference."""


class Pair(NamedTuple):
    """`epochs` of its server received the operation, which had `attempts` and met `beside` other open calls of its
    client, counted up to MANY; `statuses` are those of its answers."""

    opportunity: str
    semantics: str
    epochs: int
    attempts: int
    beside: int
    statuses: tuple[int, ...]


def covered(setting: Views) -> frozenset[Pair]:
    return frozenset(_pairs(setting))


def _pairs(setting: Views) -> Iterator[Pair]:
    states: dict[tuple[int, int], Pair] = {}
    for opportunity, operations in setting.offered.items():
        for operation in operations:
            if operation not in states:
                states[operation] = _state(setting, setting.index.traces[operation])
            yield states[operation]._replace(opportunity=opportunity)


def _state(setting: Views, trace: Trace) -> Pair:
    link = setting.link_of(trace)
    return Pair(
        "",
        link.semantics if link else "",
        min(MANY, len({event.epoch for event in trace.receives})),
        min(MANY, len(trace.attempts)),
        min(MANY, sum(_beside(trace, other) for other in setting.index.invoked.values())),
        tuple(sorted({int(event.detail["status"]) for event in trace.answers})),
    )


def _beside(one: Trace, other: Trace) -> bool:
    """Whether they are different calls of one client, open at the same time."""
    if one is other or one.operation[0] != other.operation[0]:
        return False
    if not (one.invoke and one.completion and other.invoke and other.completion):
        return False
    return one.invoke.order < other.completion.order and other.invoke.order < one.completion.order
