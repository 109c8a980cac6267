"""PURE: what an engine can do at all, so that a scenario that asks for more is refused before anything starts."""

from __future__ import annotations

from typing import NamedTuple

from nodes.wire.transports import TRANSPORTS


class Offer(NamedTuple):
    """`workers`: how many loops may serve one listener. `post`: whether something can be put into a queue from outside
    of all programs. `shared`: connections share their node's memory, so that a server can keep a state and a history.
    `everywhere`: it runs wherever its system does; otherwise a container is asked, too. `waits`: it uses no CPU while
    there is nothing to do."""

    transports: frozenset[str] = frozenset(TRANSPORTS)
    workers: int = 1
    post: bool = True
    shared: bool = True
    everywhere: bool = True
    waits: bool = True
