"""A seed that somebody wrote down draws what it drew, and shrinks as it did: in the same order, as likely.

What is compared is a checksum of all that comes. Where a change is meant, its new ones are written here.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from functools import cache
from random import Random

import pytest

from orchestrator.explore.generate import fresh, mutated, ours
from orchestrator.explore.smaller import candidates
from orchestrator.explore.words import DRAWN, Place
from orchestrator.scenario.cell import Cell, Client, Link

LINK = Link.model_validate({"from": "client", "to": "server", "semantics": "maybe"})
CLIENT = Client(workload="add", calls=5, after_heal=1, clients=2)
DRAWS, CELLS = 300, 60


def checksum(found: Iterable[object]) -> str:
    return f"{zlib.crc32(repr(list(found)).encode()):08x}"


def texts(cells: Iterable[Cell]) -> list[str]:
    return [f"{cell.seed} {cell.nodes} {cell.links} {cell.faults}" for cell in cells]


@cache
def drawn() -> list[Cell]:
    return [fresh(ours(), Random(f"cell {number}")).cell for number in range(CELLS)]


FAULTS = {
    "drop": "69ee521a",
    "duplicate": "8b640a2b",
    "reorder": "1baa518f",
    "hold": "283d05e2",
    "delay": "35abef24",
    "corrupt": "24f2a8a1",
    "truncate": "b042f82a",
    "cut": "e1555cfb",
    "slice": "52328149",
    "partition": "23abbd62",
    "rate": "de74eb1c",
    "kill": "45138404",
    "pause": "89506efb",
}


@pytest.mark.parametrize("verb", DRAWN)
def test_faults(verb: str) -> None:
    places = (Place(Random(f"{verb} {number}"), LINK, CLIENT) for number in range(DRAWS))
    assert checksum(map(DRAWN[verb], places)) == FAULTS[verb]


def test_cells() -> None:
    assert checksum(texts(drawn())) == "e1af8f90"


def test_what_becomes_of_them() -> None:
    changed = (mutated(ours(), cell, Random(f"changed {place}")).cell for place, cell in enumerate(drawn()))
    assert checksum(texts(changed)) == "3639fa80"


def test_what_is_smaller() -> None:
    smaller = (small for cell in drawn() for small in candidates(cell))
    assert checksum(texts(smaller)) == "ac4bebf7"
