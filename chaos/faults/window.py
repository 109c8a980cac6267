"""PURE: when a fault is on, and in which directions it acts."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, Literal, get_args, get_type_hints

from chaos.identity import Direction

TRIGGER = "trigger"
"""Marks the fields whose values are triggers: whoever waits for them finds them by it."""
TriggerText = Annotated[str, TRIGGER]
DURATION = "duration"
"""Marks the fields that a scenario may give as "20ms" or "5s" too."""
A_DURATION = "a duration such as 50ms or 2s"
"""What was expected of them; a bare integer is milliseconds."""
Milliseconds = Annotated[int, DURATION]
OptionalMilliseconds = Annotated[int | None, DURATION]
Directions = Literal["request", "reply", "both"]
BOTH: tuple[Direction, ...] = ("request", "reply")


@dataclass(frozen=True, kw_only=True)
class Window:
    """When a fault is on: from a trigger or a time after the load began (at once without either)."""

    name: str | None = None
    when: TriggerText | None = None
    after: OptionalMilliseconds = None
    lasts: OptionalMilliseconds = None

    @property
    def starts_on(self) -> bool:
        return self.when is None and self.after is None


def each(which: Directions) -> tuple[Direction, ...]:
    return BOTH if which == "both" else (which,)


@cache
def marked(kind: type[Any], mark: str) -> frozenset[str]:
    """The fields of a dataclass or a model whose values, or values of values, have this mark."""
    hints = get_type_hints(kind, include_extras=True)
    return frozenset(name for name, hint in hints.items() if _has(hint, mark))


def _has(hint: Any, mark: str) -> bool:
    return mark in getattr(hint, "__metadata__", ()) or any(_has(part, mark) for part in get_args(hint))
