"""PURE: faults on processes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from chaos.faults.window import TriggerText, Window

Failpoint = Literal[
    "received",
    "before-first-write",
    "between-writes",
    "before-commit",
    "after-commit",
    "before-send",
    "after-send",
]


@dataclass(frozen=True, kw_only=True)
class Restart:
    """How a killed node comes back: after a time or a trigger (both: the trigger, then the time)."""

    after: int = 0
    when: TriggerText | None = None
    state: Literal["keep", "archive"] = "keep"


@dataclass(frozen=True, kw_only=True)
class ProcessFault(Window):
    """At a failpoint of one operation in one epoch, or by `when`/`after`."""

    at: Failpoint | None = None
    operation: int | None = None
    client: int = 1
    attempt: int = 1
    epoch: int = 1
    nth: int | None = None


@dataclass(frozen=True, kw_only=True)
class Kill(ProcessFault):
    """SIGKILL. At a failpoint the node journals the line and kills itself."""

    kill: str
    restart: Restart | None = None


@dataclass(frozen=True, kw_only=True)
class Pause(ProcessFault):
    """SIGSTOP, and SIGCONT after `lasts`, or at heal without it.

    With `restart` the next epoch is started while this one is stopped, which wakes beside its successor.
    """

    pause: str
    restart: Restart | None = None
