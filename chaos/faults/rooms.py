"""PURE: the words that a room beside this file has.

A plane asks its own rooms alone: it is started for every cell, and each room takes a while to import. `vocabulary.py`
asks them all.
"""

from __future__ import annotations

from collections.abc import Iterator
from types import ModuleType
from typing import TypeVar

from chaos.faults.fault import Fault

F = TypeVar("F", bound=Fault)


def words(*rooms: ModuleType) -> Iterator[type[Fault]]:
    """The classes with a `verb`, in the order of the files."""
    for room in rooms:
        for kind in vars(room).values():
            if isinstance(kind, type) and issubclass(kind, Fault) and "verb" in vars(kind):
                yield kind


def kinds(base: type[F], *rooms: ModuleType) -> dict[str, type[F]]:
    """The words that are of this class, by the names that they travel under."""
    return {kind.__name__: kind for kind in words(*rooms) if issubclass(kind, base)}
