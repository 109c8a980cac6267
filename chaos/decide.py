"""PURE: what is done to one message. A function of the seed, the rules and the message's identity alone.

Rules of this file:

1. No packet counter, no generator with a state, no `hash()`: what happens to other messages, and in which order,
   never shifts a decision. Chance is a keyed hash (BLAKE2b, RFC 7693) of the seed, the rule and the key.
2. Rules apply in file order; the first one that is active and matches wins.
3. A message fault speaks of operations: never of `hello` (seq 0), and only of the first copy of an attempt.
   `Partition` and `Rate` are about the path, so they match everything in their directions.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from hashlib import blake2b

from chaos import decisions
from chaos.decisions import PASSED, Awaits, Decide, Decided, Decision
from chaos.faults.messages import Corrupt, Cut, Delay, Drop, Duplicate, Hold, MessageFault, Reorder, Truncate
from chaos.faults.paths import Partition, Rate
from chaos.faults.vocabulary import RelayFault
from chaos.identity import Chunk, Direction, Key
from nodes.wire.header import process_of

MILLISECOND = 1_000_000

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
    """What a rule does to a message that it speaks of. A partition drops what it meets."""
    fault = rule.fault
    match fault:
        case Drop() | Partition():
            return decisions.Drop()
        case Duplicate():
            return decisions.Copy(_COPY_AWAITS[fault.copy])
        case Reorder():
            return decisions.Keep(Awaits.NEXT)
        case Hold():
            return decisions.Keep(Awaits.RELEASE)
        case Delay():
            jitter = share(seed, rule.index, key, "jitter") * fault.jitter
            return decisions.Keep(Awaits.TIME, by=int((fault.by + jitter) * MILLISECOND))
        case Rate():
            return decisions.Keep(Awaits.TURN, bytes_per_second=fault.bytes_per_second)
        case Corrupt():
            return decisions.Alter(draw(seed, rule.index, key, "corrupt"))
        case Truncate():
            return decisions.Half()
        case Cut():
            return decisions.Cut(fault.cut)


def matches(seed: int, rule: Rule, key: Key | Chunk) -> bool:
    """Whether `rule` speaks of `key`, chance included."""
    fault = rule.fault
    if fault.link != key.link or key.direction not in directions(fault):
        return False
    if isinstance(fault, MessageFault):
        named = _names(fault, key) if isinstance(key, Key) else _can_do_without_identity(fault)
        return named and _chance(seed, rule.index, fault, key)
    return True


def directions(fault: RelayFault) -> tuple[Direction, ...]:
    """The directions in which a fault acts."""
    match fault:
        case Drop():
            return (fault.drop,)
        case Duplicate():
            return (fault.duplicate,)
        case Reorder():
            return (fault.reorder,)
        case Hold():
            return (fault.hold,)
        case Delay():
            return (fault.delay,)
        case Corrupt():
            return (fault.corrupt,)
        case Truncate():
            return (fault.truncate,)
        case Cut():
            return (fault.of,)
        case Partition():
            return _both(fault.partition)
        case Rate():
            return _both(fault.rate)


def share(seed: int, index: int, key: Key | Chunk, purpose: str) -> float:
    """A number in [0, 1), uniform over keys; each `purpose` has its own."""
    return draw(seed, index, key, purpose) / 2**64


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


def _names(fault: MessageFault, key: Key) -> bool:
    return (
        key.seq != 0
        and key.occurrence == 1
        and fault.attempt in ("all", key.attempt)
        and (fault.operations is None or key.seq in fault.operations)
        and (fault.every is None or key.seq % fault.every == 0)
        and (fault.clients is None or process_of(key.client) in fault.clients)
    )


def _can_do_without_identity(fault: MessageFault) -> bool:
    """Whether the fault neither names operations nor waits for another message of the same operation or client."""
    waits = isinstance(fault, Reorder) or (isinstance(fault, Duplicate) and fault.copy != "behind")
    return not waits and fault.operations is None and fault.every is None and fault.clients is None


def _chance(seed: int, index: int, fault: MessageFault, key: Key | Chunk) -> bool:
    return fault.probability is None or share(seed, index, key, "probability") < fault.probability


def _both(which: str) -> tuple[Direction, ...]:
    if which == "both":
        return ("request", "reply")
    return ("request",) if which == "request" else ("reply",)
