"""What the explorer draws from seeds, and what it shrinks that to: `drawn.txt`, a checksum of all that comes, in order.

A seed that somebody wrote down draws what it drew. Where a change is meant, `make stored` writes them anew.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from itertools import chain
from pathlib import Path
from random import Random

from orchestrator.explore.generate import fresh, mutated, ours
from orchestrator.explore.smaller import candidates
from orchestrator.explore.words import DRAWN, Place
from orchestrator.scenario.cell import Cell, Client, Link

STORED = Path(__file__).with_suffix(".txt")
LINK = Link.model_validate({"from": "client", "to": "server", "semantics": "maybe"})
CLIENT = Client(workload="add", calls=5, after_heal=1, clients=2)
DRAWS, DRAWN_CELLS = 300, 30


def told(name: str) -> str:
    """`name` is one of `NAMES`."""
    if name in DRAWN:
        places = (Place(Random(f"{name} {number}"), LINK, CLIENT) for number in range(DRAWS))
        return _checksum(map(repr, map(DRAWN[name], places)))
    return _checksum(map(_text, CELLS[name](_cells())))


@cache
def _cells() -> list[Cell]:
    return [fresh(ours(), Random(f"cell {number}")).cell for number in range(DRAWN_CELLS)]


def _changed(cells: list[Cell]) -> Iterator[Cell]:
    return (mutated(ours(), cell, Random(f"changed {place}")).cell for place, cell in enumerate(cells))


def _smaller(cells: list[Cell]) -> Iterator[Cell]:
    return chain.from_iterable(map(candidates, cells))


CELLS: Mapping[str, Callable[[list[Cell]], Iterable[Cell]]] = {"cells": iter, "changed": _changed, "smaller": _smaller}
NAMES = [*DRAWN, *CELLS]


def _text(cell: Cell) -> str:
    return f"{cell.seed} {cell.nodes} {cell.links} {cell.faults}"


def _checksum(found: Iterable[str]) -> str:
    return f"{zlib.crc32(chr(10).join(found).encode()):08x}"


if __name__ == "__main__":
    STORED.write_text("".join(f"{name} {told(name)}\n" for name in NAMES))
