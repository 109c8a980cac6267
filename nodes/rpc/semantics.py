"""PURE: the five call semantics by name: which mechanism a server uses, and what a client binds its calls to."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from nodes.ops import ReplyRecord
from nodes.rpc.mechanism import Filtered, Mechanism, Unfiltered
from nodes.rpc.variants import FILTERS

NAMES = ("maybe", "at-least-once", "at-most-once", "at-most-once-incarnation", "exactly-once")

UNFILTERED = frozenset({"maybe", "at-least-once"})
"""Those whose server keeps no history of calls."""


class Identity(NamedTuple):
    """What a server says of itself in every reply: incarnation and history id 64 bits, lease in milliseconds."""

    incarnation: int
    history: int
    lease: int


def binding(semantics: str, identity: Identity) -> int:
    """The `server` field of a call of these semantics to this server (0: unbound)."""
    if semantics == "at-most-once-incarnation":
        return identity.incarnation
    if semantics == "exactly-once":
        return identity.history
    return 0


def mechanism(
    semantics: str,
    variant: str | None,
    identity: Identity,
    records: Iterable[ReplyRecord],
    trimmed: Callable[[int, int], None],
) -> Mechanism:
    """The server's side of `semantics`. `trimmed(client, mark)` is told what was forgotten. KeyError if unknown."""
    if semantics not in NAMES:
        raise KeyError(semantics)
    if semantics in UNFILTERED:
        return Unfiltered()
    durable = semantics == "exactly-once"
    checked = semantics != "at-most-once"
    return FILTERS.get(variant or "", Filtered)(
        binding(semantics, identity),
        known_only=checked,
        durable=durable,
        trimmed=trimmed,
        records=records if durable else (),
    )
