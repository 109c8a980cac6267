"""PURE: what one client sends over one connection, or from one socket, is received in that order, and so are the echoes
(FIFO delivery: Cachin, Guerraoui and Rodrigues, "Reliable and Secure Distributed Programming", module 3.8).

It is only tried by messages that are on their way together. What is lost or comes again is no matter of order:
*delivered* and *unrepeated* tell of it; the first copy counts.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from orchestrator.checkers.finding import Finding, Violation
from orchestrator.checkers.messages import Passage, sequences
from orchestrator.checkers.names import operation_name
from orchestrator.checkers.views import View, Views

name = "fifo"
needs = frozenset({View.JOURNALS, View.MESSAGES})


def check(setting: Views) -> Finding:
    together = 0
    violations: list[Violation] = []
    for passages in sequences(setting):
        together += sum(_together(one, other) for one, other in pairwise(passages))
        violations += _overtaken(passages)
    return Finding(name, tuple(violations), {"together": together})


def _together(one: Passage, other: Passage) -> bool:
    """Whether the other was sent before it was known that the first had come."""
    back = next(iter(one.trace.replies), None)
    return back is None or back.order > other.trace.sends[0].order


def _overtaken(passages: Sequence[Passage]) -> Iterator[Violation]:
    """Each of which a later one came first."""
    first: Passage | None = None
    for passage in reversed(passages):
        if passage.received is None:
            continue
        if first is not None and first.received is not None and first.received.order < passage.received.order:
            what = "echo" if passage.received.kind is not first.trace.receives[0].kind else "message"
            other = operation_name(first.trace.operation)
            yield Violation(passage.trace.operation, f"its {what} came after that of {other}, which was sent later")
        else:
            first = passage
