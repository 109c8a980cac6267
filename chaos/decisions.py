"""PURE: what a hop does to one message: a value, whoever made it: a rule, a recorded log, an explorer.

`act` is what a DECISION record calls it. Durations are nanoseconds.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType
from typing import Any, ClassVar, Literal, NamedTuple

from chaos.identity import Chunk, Key


class Awaits(Enum):
    """The event that lets a kept message go on. Heal lets every one go."""

    TIME = "its due time"
    TURN = "its turn on a slow path"
    RELEASE = "the release of its rule"
    NEXT = "the same client's next message in its direction"
    REPLY = "the first reply to its operation"
    TRIM = "a request of its client whose first-incomplete is above it"
    EPOCH = "a later epoch of the upstream"


_KEPT = {Awaits.TIME: "delay", Awaits.TURN: "rate", Awaits.RELEASE: "hold", Awaits.NEXT: "reorder"}


@dataclass(frozen=True, slots=True)
class Pass:
    """It goes on."""

    act: ClassVar[str] = "pass"


@dataclass(frozen=True, slots=True)
class Drop:
    """It is consumed and nothing goes on."""

    act: ClassVar[str] = "drop"


@dataclass(frozen=True, slots=True)
class Copy:
    """It goes on and a copy follows: directly behind (None), or when what it awaits has come."""

    awaits: Awaits | None = None
    act: ClassVar[str] = "duplicate"


@dataclass(frozen=True, slots=True)
class Keep:
    """It goes on when what it awaits has come: for TIME that is `by` later; for TURN when those before it and it have
    gone through a path of `bytes_per_second`, which is the rule's own and each direction's."""

    awaits: Awaits
    by: int = 0
    bytes_per_second: int = 0

    @property
    def act(self) -> str:
        return _KEPT[self.awaits]


@dataclass(frozen=True, slots=True)
class Alter:
    """It goes on with bits of its body flipped, which `bits` (64 of them) choose."""

    bits: int
    act: ClassVar[str] = "corrupt"


@dataclass(frozen=True, slots=True)
class Half:
    """Its first half goes on; a stream then ends."""

    act: ClassVar[str] = "truncate"


@dataclass(frozen=True, slots=True)
class Cut:
    """Its connection ends, before, within or after it."""

    place: Literal["before", "within", "after"]
    act: ClassVar[str] = "cut"


@dataclass(frozen=True, slots=True)
class Slice:
    """It goes on in pieces of `size` bytes, `gap` apart; what follows on its stream waits for the last one."""

    size: int
    gap: int
    act: ClassVar[str] = "slice"


Decision = Pass | Drop | Copy | Keep | Alter | Half | Cut | Slice
Told = Mapping[str, Any]


def parameters(decision: Decision) -> dict[str, Any]:
    """What its act does not say of it, as it is put on record: numbers and texts."""
    match decision:
        case Copy(Awaits() as awaits):
            return {"awaits": awaits.name.lower()}
        case Keep(Awaits.TIME, by):
            return {"by": by}
        case Keep(Awaits.TURN, _, bytes_per_second):
            return {"bytes_per_second": bytes_per_second}
        case Alter(bits):
            return {"bits": bits}
        case Cut(place):
            return {"place": place}
        case Slice(size, gap):
            return {"size": size, "gap": gap}
    return {}


def decision_of(told: Told) -> Decision:
    """The inverse of an `act` with its `parameters`; other keys are not looked at. Raises ValueError."""
    make = _MAKERS.get(str(told.get("act")))
    if make is None:
        raise ValueError(f"no decision is called {told.get('act')!r}; there are {', '.join(_MAKERS)}")
    return make(told)


def _number(told: Told, name: str, least: int = 0) -> int:
    value = told.get(name)
    if type(value) is not int or not least <= value < 2**64:
        raise ValueError(f"{told['act']} needs {name}, a number from {least} below 2**64, got {value!r}")
    return value


def _copy(told: Told) -> Copy:
    awaits = told.get("awaits")
    known = {one.name.lower(): one for one in (Awaits.REPLY, Awaits.TRIM, Awaits.EPOCH)}
    if awaits is not None and awaits not in known:
        raise ValueError(f"duplicate awaits {awaits!r}; expected {', '.join(known)}, or nothing")
    return Copy(None if awaits is None else known[awaits])


def _cut(told: Told) -> Cut:
    match told.get("place"):
        case "before" | "within" | "after" as place:
            return Cut(place)
        case other:
            raise ValueError(f"cut needs a place, before, within or after, got {other!r}")


_MAKERS: Mapping[str, Callable[[Told], Decision]] = MappingProxyType(
    {
        Drop.act: lambda told: Drop(),
        Copy.act: _copy,
        "delay": lambda told: Keep(Awaits.TIME, by=_number(told, "by")),
        "rate": lambda told: Keep(Awaits.TURN, bytes_per_second=_number(told, "bytes_per_second", 1)),
        "hold": lambda told: Keep(Awaits.RELEASE),
        "reorder": lambda told: Keep(Awaits.NEXT),
        Alter.act: lambda told: Alter(_number(told, "bits")),
        Half.act: lambda told: Half(),
        Cut.act: _cut,
        Slice.act: lambda told: Slice(_number(told, "size", 1), _number(told, "gap")),
    }
)


def keeps(decision: Decision) -> bool:
    """Whether a message, or its copy, is kept for a while."""
    return isinstance(decision, (Keep, Slice)) or (isinstance(decision, Copy) and decision.awaits is not None)


def has_turns(decision: Decision) -> bool:
    """Whether the message takes its turn in front of a slow path."""
    return isinstance(decision, Keep) and decision.awaits is Awaits.TURN


class Decided(NamedTuple):
    """A decision, and the rule by which it is on record; None: nobody's."""

    rule: int | None
    decision: Decision


PASS = Pass()
PASSED = Decided(None, PASS)

Decide = Callable[[Key | Chunk, Collection[int]], Decided]
"""What happens to a message, given the rules that are on."""


def passing(key: Key | Chunk, active: Collection[int]) -> Decided:
    """A Decide under which everything passes."""
    return PASSED
