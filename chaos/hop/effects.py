"""PURE: what a hop wants done. Whoever drives the hop performs the effects of a call in their order."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from typing import NamedTuple

from chaos.identity import Direction


class Forward(NamedTuple):
    """Send `data` on: a request to the upstream, a reply to the client of `connection`."""

    connection: int
    direction: Direction
    data: bytes


class Finish(NamedTuple):
    """No more bytes follow in that direction: after what was forwarded, the receiver is to read end of file."""

    connection: int
    direction: Direction


class End(NamedTuple):
    """Close both sides of `connection`, each after what was forwarded to it. The hop has forgotten it."""

    connection: int


class Pause(NamedTuple):
    """Read nothing more of that direction from its sender, who has to wait. `Resume` follows. Bounds memory alone."""

    connection: int
    direction: Direction


class Resume(NamedTuple):
    """Read that direction again."""

    connection: int
    direction: Direction


class Inject(NamedTuple):
    """Send a request to the current upstream from an endpoint of the hop's own. A reply to it is discarded."""

    data: bytes


Effect = Forward | Finish | End | Inject | Pause | Resume


def joined(effects: Iterable[Effect]) -> list[Effect]:
    """The same bytes and ends of streams in the same order; what goes to one side without a break goes at once."""
    made: list[Effect] = []
    for target, group in groupby(effects, _target):
        together = list(group)
        if target is None or len(together) == 1:
            made += together
        else:
            made.append(Forward(*target, b"".join(effect.data for effect in together if isinstance(effect, Forward))))
    return made


def _target(effect: Effect) -> tuple[int, Direction] | None:
    return (effect.connection, effect.direction) if isinstance(effect, Forward) else None
