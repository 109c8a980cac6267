"""PURE: decisions that a log recorded, and the hop's decider that makes them again.

An entry names its message in full, so neither rules nor chance are asked, nor what was on when: a message that the log
does not know passes. As it travels, and in a file, an entry is {"message": "LINK DIRECTION CLIENT SEQ ATTEMPT
OCCURRENCE", "rule", "act", and the act's parameters}.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any, NamedTuple

from chaos.decisions import PASSED, Decide, Decided, Decision, decision_of, parameters
from chaos.faults.window import BOTH
from chaos.identity import Chunk, Key
from nodes.wire.errors import shown


class Entry(NamedTuple):
    """What was done to one copy of one message, and the rule by which it is on record."""

    key: Key
    rule: int | None
    decision: Decision


def replayer(entries: Iterable[Entry]) -> Decide:
    """Each entry's decision about its message; everything else passes."""
    decided: dict[Key | Chunk, Decided] = {key: Decided(rule, decision) for key, rule, decision in entries}

    def decide(key: Key | Chunk, active: Collection[int]) -> Decided:
        return decided.get(key, PASSED)

    return decide


def message(key: Key) -> str:
    """Such as "client -> server request 10101 3 1 1"."""
    return " ".join(map(str, key))


def key_of(text: Any) -> Key:
    """The inverse of `message`. Raises ValueError."""
    words = text.rsplit(" ", 5) if isinstance(text, str) else []
    if len(words) == 6 and all(number.isascii() and number.isdigit() for number in words[2:]):
        link, direction, client, seq, attempt, occurrence = words
        for known in BOTH:
            if direction == known:
                return Key(link, known, int(client), int(seq), int(attempt), int(occurrence))
    raise ValueError(f"{shown(text)} is no message; expected LINK request|reply CLIENT SEQ ATTEMPT OCCURRENCE")


def plain(entry: Entry) -> dict[str, Any]:
    key, rule, decision = entry
    return {"message": message(key), "rule": rule, "act": decision.act, **parameters(decision)}


def entry_of(value: Any) -> Entry:
    """The inverse of `plain`. Raises ValueError."""
    if not isinstance(value, dict):
        raise ValueError(f"an entry must be a map, not {shown(value)}")
    rule = value.get("rule")
    if rule is not None and type(rule) is not int:
        raise ValueError(f"the rule must be a number or null, not {shown(rule)}")
    return Entry(key_of(value.get("message")), rule, decision_of(value))
