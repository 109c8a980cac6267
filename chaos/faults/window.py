"""PURE: when a fault is on, and in which directions it acts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from chaos.identity import Direction

TRIGGER = "trigger"
"""Marks the fields whose values are triggers: whoever waits for them finds them by it."""
TriggerText = Annotated[str, TRIGGER]
Directions = Literal["request", "reply", "both"]
BOTH: tuple[Direction, ...] = ("request", "reply")


@dataclass(frozen=True, kw_only=True)
class Window:
    """When a fault is on: from a trigger or a time after the load began (at once without either)."""

    name: str | None = None
    when: TriggerText | None = None
    after: int | None = None
    lasts: int | None = None

    @property
    def starts_on(self) -> bool:
        return self.when is None and self.after is None


def each(which: Directions) -> tuple[Direction, ...]:
    return BOTH if which == "both" else (which,)
