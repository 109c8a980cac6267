"""PURE: the vocabulary of faults. One value per fault of a scenario; the names are the scenario's keys.

Which plane performs a fault is in chaos/supports.py; what `partition` and `rate` do depends on what their link goes
through. Durations are milliseconds unless a field says otherwise. Triggers are strings, "<subject> <event>
[<number>]": "server ready 2" (epoch), "server down 1" (epoch), "client gate 5", "client attempt 5", "client ok 5"
(operation), "healed", and, for a fault with a name, "<name> on" and "<name> off".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

TRIGGER = "trigger"
"""Marks the fields whose values are triggers: whoever waits for them finds them by it."""
TriggerText = Annotated[str, TRIGGER]
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
    when: TriggerText | None = None
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


@dataclass(frozen=True, kw_only=True)
class Partition(Window):
    """Nothing passes in that direction, hello included: no message of a relay, no packet of a direct link."""

    partition: Directions
    link: str


@dataclass(frozen=True, kw_only=True)
class Rate(Window):
    """Messages (of a direct link, packets: tbf) pass one after another at this many bytes a second."""

    rate: Directions
    link: str
    bytes_per_second: int


@dataclass(frozen=True, kw_only=True)
class Toxic(Window):
    """What Toxiproxy does to the byte streams of a link. Upstream carries requests, downstream replies; `toxicity` is
    the share of connections that it does it to. Source: Toxiproxy 2.12, README, "Toxics"."""

    link: str
    stream: Literal["upstream", "downstream"] = "downstream"
    toxicity: float = 1.0


@dataclass(frozen=True, kw_only=True)
class Latency(Toxic):
    """Every piece of the stream comes `latency` later, give or take `jitter`."""

    latency: int
    jitter: int = 0


@dataclass(frozen=True, kw_only=True)
class Bandwidth(Toxic):
    """At most so many kilobytes a second."""

    bandwidth: int


@dataclass(frozen=True, kw_only=True)
class SlowClose(Toxic):
    """The connection's end is passed on so much later."""

    slow_close: int


@dataclass(frozen=True, kw_only=True)
class Timeout(Toxic):
    """Nothing passes, and the connection is closed after so long without a piece of the stream (0: never)."""

    timeout: int


@dataclass(frozen=True, kw_only=True)
class ResetPeer(Toxic):
    """The next piece of the stream is dropped, and the connection reset (RST) so long after it (0: at once); one that
    was open before the fault was on ends in order."""

    reset_peer: int


@dataclass(frozen=True, kw_only=True)
class Slicer(Toxic):
    """Pieces of the stream are halved, give or take `variation`, until none has more than `slicer` + `variation` bytes;
    they pass `gap` microseconds apart."""

    slicer: int
    variation: int = 0
    gap: int = 0


@dataclass(frozen=True, kw_only=True)
class LimitData(Toxic):
    """After so many bytes of the stream the connection is closed."""

    limit_data: int


@dataclass(frozen=True, kw_only=True)
class Down(Window):
    """The proxy listens no more and its connections are closed."""

    down: Literal[True]
    link: str


@dataclass(frozen=True, kw_only=True)
class Loss(Window):
    """Packets of a direct link are lost: each with `probability` (the kernel's chance, which takes no seed), or every
    `every`-th one of a direction."""

    loss: Directions
    link: str
    probability: float | None = None
    every: int | None = None


@dataclass(frozen=True, kw_only=True)
class Split(Window):
    """Nodes with direct links cannot reach one another across groups.

    `groups`: those given, or one of the shapes that chaos/groups.py makes of `nodes` in their order.
    """

    split: Literal["groups", "majority", "ring", "bridge", "isolate"]
    groups: tuple[tuple[str, ...], ...] = ()
    nodes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Reject(Window):
    """Requests of a direct link are answered by the kernel: with a TCP reset, or with ICMP port unreachable. Of TCP's
    segments these are the ones that open a connection or carry data."""

    reject: Literal["rst", "icmp"]
    link: str


@dataclass(frozen=True, kw_only=True)
class Blackhole(Window):
    """No packet of one TCP connection passes any more, either way: of those that are open, the n-th (from 1) by its
    client's address and port, which are all that the kernel tells of their order."""

    blackhole: int
    link: str


@dataclass(frozen=True, kw_only=True)
class Shape:
    """What netem does to packets (tc-netem(8)). Shares are between 0 and 1; None leaves that out."""

    delay: int | None = None
    jitter: int | None = None
    distribution: Literal["uniform", "normal", "pareto", "paretonormal"] | None = None
    delay_correlation: float | None = None
    loss: float | None = None
    loss_correlation: float | None = None
    duplicate: float | None = None
    reorder: float | None = None
    corrupt: float | None = None
    bytes_per_second: int | None = None


@dataclass(frozen=True, kw_only=True)
class Netem(Window):
    """Packets of a direct link meet netem where they are sent, with a seed of the run's."""

    netem: Shape
    link: str
    of: Directions = "both"


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


RelayFault = Drop | Duplicate | Reorder | Hold | Delay | Corrupt | Truncate | Cut | Partition | Rate
ToxicFault = Latency | Bandwidth | SlowClose | Timeout | ResetPeer | Slicer | LimitData | Down
PacketFault = Loss | Partition | Split | Reject | Blackhole | Netem | Rate
Fault = RelayFault | ToxicFault | PacketFault | Kill | Pause
