"""PURE: the vocabulary of faults. One value per fault of a scenario; the names are the scenario's keys.

Durations are milliseconds. Triggers are strings, "<subject> <event> [<number>]": "server ready 2" (epoch),
"server down 1" (epoch), "client gate 5", "client attempt 5", "client ok 5" (operation), "healed", and, for a
fault with a name, "<name> on" and "<name> off".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Direction = Literal["request", "reply"]
Directions = Literal["request", "reply", "both"]
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
class Window:
    """When a fault is on: from a trigger or a time after the load began (at once without either)."""

    name: str | None = None
    when: str | None = None
    after: int | None = None
    lasts: int | None = None


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
    until: str | None = None


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


@dataclass(frozen=True, kw_only=True)
class Partition(Window):
    """Nothing passes in that direction, hello included."""

    partition: Directions
    link: str


@dataclass(frozen=True, kw_only=True)
class Rate(Window):
    """Messages pass one after another at this many bytes a second."""

    rate: Directions
    link: str
    bytes_per_second: int


@dataclass(frozen=True, kw_only=True)
class Restart:
    """How a killed node comes back: after a time or a trigger (both: the trigger, then the time)."""

    after: int = 0
    when: str | None = None
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
    """SIGSTOP, and SIGCONT after `lasts`, or at heal without it."""

    pause: str


RelayFault = Drop | Duplicate | Reorder | Hold | Delay | Corrupt | Truncate | Cut | Partition | Rate
Fault = RelayFault | Kill | Pause
