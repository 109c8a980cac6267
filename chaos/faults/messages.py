"""PURE: faults on identified messages, which the relay performs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from chaos.faults.window import TriggerText, Window
from chaos.identity import Direction


@dataclass(frozen=True, kw_only=True)
class MessageFault(Window):
    """Which messages of a link: by operation number, every n-th, or probability; first copies only."""

    link: str
    operations: tuple[int, ...] | None = None
    every: int | None = None
    probability: float | None = None
    clients: tuple[int, ...] | None = None
    attempt: int | Literal["all"] = 1


@dataclass(frozen=True, kw_only=True)
class Drop(MessageFault):
    """The message is consumed and nothing is passed; over TCP the connection stays."""

    drop: Direction


@dataclass(frozen=True, kw_only=True)
class Duplicate(MessageFault):
    """The message passes and a copy follows: directly behind, when the reply reaches the hop (ahead of passing
    it), after a request whose first-incomplete is above it has passed, or when the server's next epoch is ready."""

    duplicate: Direction
    copy: Literal["behind", "at-reply", "after-trim", "next-epoch"] = "behind"


@dataclass(frozen=True, kw_only=True)
class Reorder(MessageFault):
    """The message is held and follows the same client's next message in that direction."""

    reorder: Direction


@dataclass(frozen=True, kw_only=True)
class Hold(MessageFault):
    """The message is held until a trigger, or heal without one."""

    hold: Direction
    until: TriggerText | None = None


@dataclass(frozen=True, kw_only=True)
class Delay(MessageFault):
    """The message passes `by` later, plus a uniform share of `jitter`."""

    delay: Direction
    by: int
    jitter: int = 0


@dataclass(frozen=True, kw_only=True)
class Corrupt(MessageFault):
    """Bits in the arguments' or the result's bytes are flipped."""

    corrupt: Direction


@dataclass(frozen=True, kw_only=True)
class Truncate(MessageFault):
    """Only the first half of the message passes; over TCP the connection then ends."""

    truncate: Direction


@dataclass(frozen=True, kw_only=True)
class Cut(MessageFault):
    """The TCP connection ends before, within or after the message `of` that direction."""

    cut: Literal["before", "within", "after"]
    of: Direction
