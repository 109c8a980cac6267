"""PURE: how an execution's writes are grouped. One transaction is what makes exactly-once exact.

Two variants split it, as negative controls: a crash between the two then shows `ok` with E = 0, or E = 2.
"""

from __future__ import annotations

from typing import Any

from nodes.ops import Effect, ReplyRecord, Transaction
from nodes.wire.header import CallHeader


def transactions(
    variant: str | None, header: CallHeader, state: dict[str, Any], value: Any, record: ReplyRecord | None
) -> list[Transaction]:
    """What to commit, in order, for an execution of the call `header` that returned `value`."""
    identity = (header.client, header.seq, header.attempt)
    effect = Effect(header.client, header.seq, header.intent, header.attempt, value)
    if record is None or variant not in ("record-before-effect", "effect-before-record"):
        return [Transaction(identity, state, effect, record)]
    halves = [Transaction(identity, state, effect, None), Transaction(identity, None, None, record)]
    return halves if variant == "effect-before-record" else halves[::-1]
