"""A history with one event altered at random, in every way that somebody could get it wrong."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

from nodes.units import MILLISECOND
from orchestrator.history.merged import Event

NUMBERS = ("time", "epoch", "client", "seq", "attempt", "process")
STEPS = (1, MILLISECOND, 1_000 * MILLISECOND)
ODD_VALUES: tuple[Any, ...] = (None, "x", "", b"\xff", -1, 0, 2**62, 1.5, True, [], {}, {"a": [1]})
ODD_NUMBERS = (-1, -(2**62), 2**62)
"""What nobody writes there."""


def altered(events: Sequence[Event], place: int, drawn: random.Random) -> tuple[str, tuple[Event, ...]]:
    """-> what was done to the event there: a field's name ("detail.value", "without detail.value", "odd detail.value"),
    or removed, doubled, moved (to another operation), node, kind; and the events then."""
    event = events[place]
    ways = ["removed", "doubled", "node", "kind", *NUMBERS]
    ways += (f"{way}detail.{key}" for way in ("", "", "odd ") for key in event.detail)
    ways += (f"without detail.{key}" for key, value in event.detail.items() if value is not None)
    what = drawn.choice([*ways, "moved"] if event.client else ways)
    found = [*events[:place], *_done(what, event, events, drawn), *events[place + 1 :]]
    return what, tuple(each._replace(order=n) for n, each in enumerate(found))


def _done(what: str, event: Event, events: Sequence[Event], drawn: random.Random) -> list[Event]:
    if what == "removed":
        return []
    if what == "doubled":
        return [event, event]
    if what == "moved":
        others = sorted({each.operation for each in events if each.client and each.operation != event.operation})
        client, seq = drawn.choice(others)
        return [event._replace(client=client, seq=seq)]
    if what == "node":
        return [event._replace(node=drawn.choice(sorted({each.node for each in events} - {event.node})))]
    if what == "kind":
        return [event._replace(kind=drawn.choice(sorted({each.kind for each in events} - {event.kind})))]
    if what in NUMBERS:
        step = drawn.choice(STEPS) if what == "time" else 1
        number = getattr(event, what) + drawn.choice((step, -step))
        return [event._replace(**{what: drawn.choice((number, number, number, *ODD_NUMBERS))})]
    way, _, key = what.rpartition("detail.")
    if way == "without ":
        return [event._replace(detail={name: each for name, each in event.detail.items() if name != key})]
    if way == "odd ":
        odd = drawn.choice([value for value in ODD_VALUES if value != event.detail[key]])
        return [event._replace(detail={**event.detail, key: odd})]
    texts = sorted({each.detail[key] for each in events if isinstance(each.detail.get(key), str)})
    return [event._replace(detail={**event.detail, key: _other(event.detail[key], texts, drawn)})]


def _other(value: Any, texts: Sequence[str], drawn: random.Random) -> Any:
    match value:
        case bool():
            return not value
        case int():
            return value + drawn.choice((1, -1, 1000))
        case bytes():
            return value[::-1] if value[::-1] != value else value + b"x"
        case str():
            return drawn.choice([text for text in (*texts, f"{value}x") if text != value])
        case dict():
            return {key: _other(item, (), drawn) for key, item in value.items()} or {"more": 1}
        case list() | tuple():
            return [*value, 0]
    return 1
