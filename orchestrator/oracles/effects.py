"""PURE: what an oracle reports: how many effects each intent has, and of which value if it tells."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

from nodes.wire.header import operation_of
from orchestrator.history.merged import Ledger

NAME = "oracle"
Row = tuple[int, int, int, int, int, int, Any]


class Effect(NamedTuple):
    """`n` effects of one intent; `value` is "" where the oracle does not tell."""

    intent: int
    n: int
    value: str = ""


def effect(intent: Any, n: Any = 1, value: Any = None) -> Effect:
    """Raises ValueError for what cannot be one."""
    if isinstance(intent, bytes):
        intent = intent.decode("utf-8", "replace")
    try:
        found = Effect(int(intent), int(n), "" if value is None else str(value))
        operation_of(found.intent)
    except (TypeError, ValueError) as error:
        told = f"intent {intent!r:.60}, n {n!r:.60}"
        raise ValueError(f"{told}: expected an intent that the driver was given, and a number ({error})") from None
    if found.n < 0:
        raise ValueError(f"intent {found.intent} has {found.n} effects; expected 0 or more")
    return found


def effect_of(item: Any) -> Effect:
    """Of a JSON object {"intent", "n", "value"}. Raises ValueError."""
    if not isinstance(item, dict) or "intent" not in item:
        raise ValueError(f'{json.dumps(item):.200} is no effect; expected {{"intent": ..., "n": 1, "value": ...}}')
    return effect(item["intent"], item.get("n", 1), item.get("value"))


def ledger(effects: Sequence[Effect]) -> Ledger:
    """The effects as rows of a ledger, one for each."""
    rows: list[Row] = []
    for one in effects:
        client, seq = operation_of(one.intent)
        rows += [(len(rows) + number, client, seq, one.intent, 1, 0, one.value) for number in range(1, one.n + 1)]
    return Ledger(NAME, NAME, False, rows, {}, 0)
