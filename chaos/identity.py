"""PURE: which message it is, as far as whoever passes it on can tell."""

from __future__ import annotations

from typing import Literal, NamedTuple

Direction = Literal["request", "reply"]


class Key(NamedTuple):
    """One copy of one identified message at one hop; `occurrence` counts the copies received, from 1; it is 0
    for one that comes so late that they are counted no more (chaos/hop/occurrences.py)."""

    link: str
    direction: Direction
    client: int
    seq: int
    attempt: int
    occurrence: int


class Chunk(NamedTuple):
    """Traffic without identity: the `chunk`-th piece (from 1) of the `connection`-th connection. Not replayable."""

    link: str
    direction: Direction
    connection: int
    chunk: int
