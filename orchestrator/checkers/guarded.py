"""PURE: a checker that crashes knows nothing and stops nobody, and is told of: whatever it looked at is no evidence."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
ROOM = "orchestrator/"


class Guard:
    """Of one judging. `crashes` says what crashed in it, each once: they are the evidence gate's."""

    def __init__(self) -> None:
        self.crashes: dict[str, None] = {}

    def __call__(self, check: Callable[[], T], otherwise: T) -> tuple[T, str]:
        """-> (what the check gives, ""), or (`otherwise`, why it crashed)."""
        try:
            return check(), ""
        except MemoryError:
            raise  # no fault of what was looked at
        except Exception as error:  # whatever a history holds, the other checkers go on
            crash = crashed(error)
            self.crashes[crash] = None
            return otherwise, crash

    def told(self, check: Callable[[], T], otherwise: T) -> T:
        """Of what is told beside the verdicts."""
        return self(check, otherwise)[0]


def crashed(error: Exception) -> str:
    """What, and where in the checkers."""
    frames = traceback.extract_tb(error.__traceback__)
    frame = next((one for one in reversed(frames) if ROOM in one.filename), frames[-1])
    where = f"{frame.name}, {frame.filename.rpartition(ROOM)[2]}:{frame.lineno}"
    return f"a checker crashed: {type(error).__name__}: {error} ({where})"
