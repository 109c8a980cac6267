"""PURE: a checker that crashes knows nothing, and stops nobody."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def guarded(check: Callable[[], T], otherwise: T) -> tuple[T, str]:
    """-> (what the check gives, ""), or (`otherwise`, why it crashed)."""
    try:
        return check(), ""
    except Exception as error:  # whatever a history holds, the other checkers go on
        return otherwise, f"a checker crashed: {type(error).__name__}: {error}"


def told(check: Callable[[], T], otherwise: T) -> T:
    """Of what is told beside the verdicts, a crash hides no more than itself."""
    return guarded(check, otherwise)[0]
