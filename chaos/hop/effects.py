"""PURE: what a hop wants done. Whoever drives the hop performs the effects of a call in their order."""

from __future__ import annotations

from typing import NamedTuple

from chaos.faults import Direction


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


class Inject(NamedTuple):
    """Send a request to the current upstream from an endpoint of the hop's own. A reply to it is discarded."""

    data: bytes


Effect = Forward | Finish | End | Inject
