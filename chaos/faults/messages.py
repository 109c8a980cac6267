"""PURE: faults on identified messages, which the relay performs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import ClassVar, Literal, Self

from chaos.faults.fault import RelayFault
from chaos.faults.models import Brings, alike, of_streams
from chaos.faults.surroundings import Caller, ForeignLink, Surroundings, last_over, operations
from chaos.faults.window import Milliseconds, TriggerText
from chaos.identity import Direction, Key
from chaos.problem import Problem, names, repeated


@dataclass(frozen=True, kw_only=True)
class MessageFault(RelayFault):
    """Which messages of a link: by operation number, every n-th, or probability; first copies only."""

    link: str
    operations: tuple[int, ...] | None = None
    every: int | None = None
    probability: float | None = None
    clients: tuple[int, ...] | None = None
    attempt: int | Literal["all"] = 1

    loses: ClassVar[bool] = False
    """Whether the receiver cannot use what it does to a message, until heal."""

    @property
    def directions(self) -> tuple[Direction, ...]:
        direction: Direction = getattr(self, self.verb)
        return (direction,)

    @property
    def numbers(self) -> tuple[int, ...]:
        return self.operations or ()

    @property
    def needs_identity(self) -> bool:
        return self.operations is not None or self.every is not None or self.clients is not None

    @property
    def keeps_open(self) -> bool:
        return self.loses and self.attempt == "all" and self.probability in (None, 1)

    def names(self, process: int, seq: int, attempt: int, occurrence: int) -> bool:
        mine = seq != 0 and occurrence == 1 and self.attempt in ("all", attempt)
        return mine and self._chooses(process, seq)

    def names_operation(self, process: int, seq: int) -> bool:
        by_number = self.operations is not None or self.every is not None
        return by_number and self.probability is None and self._chooses(process, seq)

    def at_one(self, key: Key, clients: tuple[int, ...] | None, kept: int) -> Self:
        return replace(self, operations=(key.seq,), every=None, probability=None, clients=clients, attempt=key.attempt)

    def _chooses(self, process: int, seq: int) -> bool:
        return (
            (self.operations is None or seq in self.operations)
            and (self.every is None or seq % self.every == 0)
            and (self.clients is None or process in self.clients)
        )

    def problems(self) -> Iterator[Problem]:
        chosen = [key for key in ("operations", "every", "probability") if getattr(self, key) is not None]
        if len(chosen) > 1:
            yield Problem((chosen[1],), f"both {chosen[0]} and {chosen[1]}; expected one of them")
        if self.every is not None and self.every < 1:
            yield Problem(("every",), "expected 1 or more")
        if self.probability is not None and not 0 < self.probability <= 1:
            yield Problem(("probability",), "expected more than 0 and at most 1")
        if self.attempt != "all" and self.attempt < 1:
            yield Problem(("attempt",), "attempts count from 1; expected one of them, or all")

    def problems_in(self, cell: Surroundings) -> Iterator[Problem]:
        way = self.way(cell)
        if way is not None and way.source in cell.clients:
            yield from self._choice(cell.clients[way.source])
        yield from super().problems_in(cell)

    def followed_by(self, cell: Surroundings, what: str) -> Iterator[Problem]:
        """Whether operations of its client still take its link before heal: it waits for what they send."""
        way = self.way(cell)
        last = last_over(cell, way) if way is not None else 0
        if last in (self.operations or ()):
            message = f"operation {last} is the last before heal over {self.link}, and no later one sends {what}"
            yield Problem(("operations",), message)

    def _choice(self, caller: Caller) -> Iterator[Problem]:
        if self.operations is not None:
            yield from operations(caller, self.operations, ("operations",))
        yield from repeated(("clients",), self.clients or ())
        for ordinal in self.clients or ():
            if not 1 <= ordinal <= caller.clients:
                yield Problem(("clients",), f"client process {ordinal} of {caller.clients}; they count from 1")

    def problems_in_system(self, link: ForeignLink | None) -> Iterator[Problem]:
        if link is None:
            return
        if self.verb not in link.possible:
            message = f"{self.verb} is not possible in {link.framer}; possible are {names(link.possible)}"
            yield Problem((self.verb,), message)
        if self.attempt != 1:
            yield Problem(("attempt",), "attempts of others are not told apart; expected 1, the first copy")
        for key in () if link.identified else ("operations", "every", "clients"):
            if getattr(self, key) is not None:
                message = f"messages of {link.name} name no operation of the driver; expected probability, or no choice"
                yield Problem((key,), message)


@dataclass(frozen=True, kw_only=True)
class Drop(MessageFault):
    """The message is consumed and nothing is passed; over TCP the connection stays."""

    drop: Direction

    verb: ClassVar[str] = "drop"
    brings: ClassVar[Brings] = alike("loss")
    loses: ClassVar[bool] = True
    consumes: ClassVar[bool] = True


@dataclass(frozen=True, kw_only=True)
class Duplicate(MessageFault):
    """The message passes and a copy follows: directly behind, when the reply reaches the hop (ahead of passing
    it), after a request whose first-incomplete is above it has passed, or when the server's next epoch is ready."""

    duplicate: Direction
    copy: Literal["behind", "at-reply", "after-trim", "next-epoch"] = "behind"

    verb: ClassVar[str] = "duplicate"
    brings: ClassVar[Brings] = alike("duplication")

    @property
    def needs_identity(self) -> bool:
        return self.copy != "behind" or super().needs_identity

    def problems(self) -> Iterator[Problem]:
        yield from super().problems()
        if self.copy != "behind" and self.duplicate == "reply":
            yield Problem(("copy",), f"a reply's copy cannot wait for {self.copy}; expected behind")

    def problems_in(self, cell: Surroundings) -> Iterator[Problem]:
        yield from super().problems_in(cell)
        if self.copy == "after-trim":
            yield from self.followed_by(cell, "a request that says it is complete")
        if self.copy == "next-epoch" and (way := self.way(cell)) is not None:
            struck = (fault.on_process for fault in cell.faults)
            if not any(one and one.deadly and one.target == way.target for one in struck):
                yield Problem(("copy",), f"{way.target!r} has no next epoch; expected a fault that kills it")


@dataclass(frozen=True, kw_only=True)
class Reorder(MessageFault):
    """The message is held and follows the same client's next message in that direction."""

    reorder: Direction

    verb: ClassVar[str] = "reorder"
    brings: ClassVar[Brings] = alike("reordering")
    keeps: ClassVar[bool] = True

    @property
    def needs_identity(self) -> bool:
        return True

    def problems_in(self, cell: Surroundings) -> Iterator[Problem]:
        yield from super().problems_in(cell)
        yield from self.followed_by(cell, "what overtakes it")


@dataclass(frozen=True, kw_only=True)
class Hold(MessageFault):
    """The message is held until a trigger, or heal without one."""

    hold: Direction
    until: TriggerText | None = None

    verb: ClassVar[str] = "hold"
    brings: ClassVar[Brings] = alike("delay", "reordering")
    keeps: ClassVar[bool] = True
    loses: ClassVar[bool] = True

    @property
    def released_at(self) -> str | None:
        return self.until


@dataclass(frozen=True, kw_only=True)
class Delay(MessageFault):
    """The message passes `by` later, plus a uniform share of `jitter`."""

    delay: Direction
    by: Milliseconds
    jitter: Milliseconds = 0

    verb: ClassVar[str] = "delay"
    brings: ClassVar[Brings] = alike("delay", "reordering")
    keeps: ClassVar[bool] = True
    punctual: ClassVar[bool] = True

    def at_one(self, key: Key, clients: tuple[int, ...] | None, kept: int) -> Self:
        return replace(super().at_one(key, clients, kept), by=max(1, kept), jitter=0)

    def problems(self) -> Iterator[Problem]:
        yield from super().problems()
        if self.by < 1 or self.jitter < 0:
            yield Problem(("by",), "expected a delay of at least 1 ms, and a jitter that is not negative")


@dataclass(frozen=True, kw_only=True)
class Corrupt(MessageFault):
    """Bits in the arguments' or the result's bytes are flipped."""

    corrupt: Direction

    verb: ClassVar[str] = "corrupt"
    alters: ClassVar[bool] = True
    brings: ClassVar[Brings] = Brings(("loss",), ("loss", "connection-cut"))
    loses: ClassVar[bool] = True


@dataclass(frozen=True, kw_only=True)
class Truncate(MessageFault):
    """Only the first half of the message passes; over TCP the connection then ends."""

    truncate: Direction

    verb: ClassVar[str] = "truncate"
    brings: ClassVar[Brings] = Brings(("loss",), ("connection-cut",))
    loses: ClassVar[bool] = True


@dataclass(frozen=True, kw_only=True)
class Cut(MessageFault):
    """The TCP connection ends before, within or after the message `of` that direction."""

    cut: Literal["before", "within", "after"]
    of: Direction

    verb: ClassVar[str] = "cut"
    brings: ClassVar[Brings] = of_streams("connection-cut")
    loses: ClassVar[bool] = True
    of_streams: ClassVar[str] = "which has no connection to cut"

    @property
    def title(self) -> str:
        return f"{self.verb} {self.cut} {self.of}"

    @property
    def passes_first(self) -> bool:
        return self.cut == "after"

    @property
    def directions(self) -> tuple[Direction, ...]:
        return (self.of,)


@dataclass(frozen=True, kw_only=True)
class Slice(MessageFault):
    """The message passes in pieces of `size` bytes, `gap` milliseconds apart; what follows on its TCP stream waits."""

    slice: Direction
    size: int
    gap: Milliseconds

    verb: ClassVar[str] = "slice"
    brings: ClassVar[Brings] = of_streams("delay")
    keeps: ClassVar[bool] = True
    punctual: ClassVar[bool] = True
    of_streams: ClassVar[str] = "whose messages come whole or not at all"

    def problems(self) -> Iterator[Problem]:
        yield from super().problems()
        if self.size < 1:
            yield Problem(("size",), "expected at least 1 byte")
        if self.gap < 1:
            yield Problem(("gap",), "expected at least 1 ms: pieces without a gap leave no trace in anybody's journal")
