"""PURE: what is done to one message. A function of the seed, the rules and the message's identity alone.

Rules of this file:

1. No packet counter, no generator with a state, no `hash()`: what happens to other messages, and in which order,
   never shifts a decision. Chance is a keyed hash (BLAKE2b, RFC 7693) of the seed, the rule and the key.
2. Rules apply in file order; the first one that is active and matches wins.
3. A message fault speaks of operations: never of `hello` (seq 0), and only of the first copy of an attempt.
   `Partition` and `Rate` are about the path, so they match everything in their directions.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from hashlib import blake2b
from types import MappingProxyType
from typing import Any

from chaos import decisions
from chaos.decisions import PASSED, Awaits, Decide, Decided, Decision
from chaos.faults.fault import RelayFault
from chaos.faults.messages import Corrupt, Cut, Delay, Drop, Duplicate, Hold, Reorder, Slice, Truncate
from chaos.faults.paths import Partition, Rate
from chaos.identity import Chunk, Key
from nodes.units import MILLISECOND
from nodes.wire.header import process_of

BITS = 2**64

Draw = Callable[[str], int]
"""64 bits of a message's own for each purpose."""

_COPY_AWAITS = {"behind": None, "at-reply": Awaits.REPLY, "after-trim": Awaits.TRIM, "next-epoch": Awaits.EPOCH}


@dataclass(frozen=True, slots=True)
class Rule:
    """A fault with its place in the scenario's list, by which journals and commands name it."""

    index: int
    fault: RelayFault


def decider(seed: int, rules: Sequence[Rule]) -> Decide:
    """The first rule that is on and speaks of a message decides about it."""
    return partial(decide, seed, tuple(rules))


def decide(seed: int, rules: Sequence[Rule], key: Key | Chunk, active: Collection[int]) -> Decided:
    """What happens to `key`. `active` has the indexes of the rules that are on."""
    for rule in rules:
        if rule.index in active and matches(seed, rule, key):
            return Decided(rule.index, decision(seed, rule, key))
    return PASSED


def decision(seed: int, rule: Rule, key: Key | Chunk) -> Decision:
    """What a rule does to a message that it speaks of."""
    return DECISIONS[type(rule.fault)](rule.fault, partial(draw, seed, rule.index, key))


def matches(seed: int, rule: Rule, key: Key | Chunk) -> bool:
    """Whether `rule` speaks of `key`, chance included."""
    return speaks(rule, key) and _chance(seed, rule.index, rule.fault, key)


def speaks(rule: Rule, key: Key | Chunk) -> bool:
    """The same before chance is asked."""
    fault = rule.fault
    if fault.link != key.link or key.direction not in fault.directions:
        return False
    if isinstance(key, Key):
        return fault.names(process_of(key.client), key.seq, key.attempt, key.occurrence)
    return not fault.needs_identity


def share(seed: int, index: int, key: Key | Chunk, purpose: str) -> float:
    """A number in [0, 1), uniform over keys; each `purpose` has its own."""
    return draw(seed, index, key, purpose) / BITS


def draw(seed: int, index: int, key: Key | Chunk, purpose: str) -> int:
    """64 bits that depend on nothing but the arguments. `purpose` has at most 16 ASCII characters."""
    text = "\0".join((str(index), type(key).__name__, *map(str, key)))
    digest = _keyed(seed, purpose).copy()
    digest.update(text.encode())
    return int.from_bytes(digest.digest(), "big")


@lru_cache(maxsize=64)
def _keyed(seed: int, purpose: str) -> blake2b:
    """The hash before it has seen a message: always copied, never updated."""
    return blake2b(digest_size=8, key=str(seed).encode(), person=purpose.encode())


def _chance(seed: int, index: int, fault: RelayFault, key: Key | Chunk) -> bool:
    return fault.probability is None or share(seed, index, key, "probability") < fault.probability


def _delay(fault: Delay, drawn: Draw) -> Decision:
    jitter = drawn("jitter") / BITS * fault.jitter
    return decisions.Keep(Awaits.TIME, by=int((fault.by + jitter) * MILLISECOND))


DECISIONS: Mapping[type[RelayFault], Callable[[Any, Draw], Decision]] = MappingProxyType(
    {
        Drop: lambda fault, drawn: decisions.Drop(),
        Partition: lambda fault, drawn: decisions.Drop(),
        Duplicate: lambda fault, drawn: decisions.Copy(_COPY_AWAITS[fault.copy]),
        Reorder: lambda fault, drawn: decisions.Keep(Awaits.NEXT),
        Hold: lambda fault, drawn: decisions.Keep(Awaits.RELEASE),
        Delay: _delay,
        Rate: lambda fault, drawn: decisions.Keep(Awaits.TURN, bytes_per_second=fault.bytes_per_second),
        Corrupt: lambda fault, drawn: decisions.Alter(drawn("corrupt")),
        Truncate: lambda fault, drawn: decisions.Half(),
        Cut: lambda fault, drawn: decisions.Cut(fault.cut),
        Slice: lambda fault, drawn: decisions.Slice(fault.size, fault.gap * MILLISECOND),
    }
)
"""What each fault does to a message, given what chance draws for a purpose."""
