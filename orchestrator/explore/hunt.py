"""Which runs are made, one after another, and what is known of all of them.

Rules of this file:

1. A run has a number. What it is follows from the seed, its number and what was known two rounds before: whoever
   makes it, and beside how many others.
2. What came of runs is heard in the order of their numbers.
3. Coverage leads: most runs change a little of one that saw what none before it had seen.
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import NamedTuple

from orchestrator.explore.attempt import Surprise, attempt
from orchestrator.explore.coverage import Pair
from orchestrator.explore.generate import Ground, fresh, mutated
from orchestrator.history.collection import collected_after
from orchestrator.scenario.cell import Cell

ROUND = 64
LED = 0.6
"""The share of runs that change one that is known."""
MOST_KINDS = 8
"""Kinds of surprises after which it is enough."""


class Order(NamedTuple):
    """A run to be made: afresh, or as a change of `parent`."""

    seed: int
    number: int
    parent: Cell | None


class Made(NamedTuple):
    """What came of it. `fresh` are the pairs that its maker had not seen before; the cell is None where there are none,
    and no surprise."""

    number: int
    cell: Cell | None
    surprise: Surprise | None
    fresh: frozenset[Pair]
    refused: int


class Find(NamedTuple):
    """The first surprise of its kind, and how many there were of it."""

    number: int
    cell: Cell
    surprise: Surprise
    times: int = 1

    @property
    def kind(self) -> tuple[str, str]:
        return self.cell.links[0].semantics, self.surprise.checks[0]


class Maker:
    """Makes runs."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._seen: set[Pair] = set()

    def make(self, order: Order) -> Made:
        """Raises Barren."""
        random = Random(f"{order.seed}/{order.number}")
        with collected_after():
            drawn = fresh(self._ground, random) if order.parent is None else mutated(self._ground, order.parent, random)
            result = attempt(drawn.cell)
        new = result.covered - self._seen
        self._seen |= new
        kept = drawn.cell if new or result.surprise else None
        return Made(order.number, kept, result.surprise, new, drawn.refused)


class Hunt:
    """`runs` None: no end. It is over when all are made, or enough was found: `enough` kinds."""

    def __init__(self, seed: int, runs: int | None, enough: int = MOST_KINDS) -> None:
        self.seed = seed
        self.made = 0
        self.refused = 0
        self.seen: set[Pair] = set()
        self.finds: dict[tuple[str, str], Find] = {}
        self._runs = runs
        self._enough = enough
        self._ordered = 0
        self._early: dict[int, Made] = {}
        self._corpus: list[Cell] = []
        self._known = [0]
        """How many of the corpus were known at the end of each round."""

    @property
    def over(self) -> bool:
        return self.made == self._runs or len(self.finds) >= self._enough

    def orders(self) -> Iterator[Order]:
        """Those that can be begun by now."""
        while not self.over and (self._runs is None or self._ordered < self._runs):
            before = self._ordered // ROUND - 1
            if before >= len(self._known):
                return
            self._ordered += 1
            yield self._order(self._ordered - 1, self._known[max(0, before)])

    def _order(self, number: int, known: int) -> Order:
        random = Random(f"{self.seed}/{number}/parent")
        led = known and random.random() < LED
        return Order(self.seed, number, self._corpus[random.randrange(known)] if led else None)

    def hear(self, made: Made) -> None:
        self._early[made.number] = made
        while not self.over and self.made in self._early:
            self._take(self._early.pop(self.made))

    def _take(self, made: Made) -> None:
        self.made += 1
        self.refused += made.refused
        if made.cell is not None and not made.fresh <= self.seen:
            self._corpus.append(made.cell)
        self.seen |= made.fresh
        if made.cell is not None and made.surprise is not None:
            find = Find(made.number, made.cell, made.surprise)
            known = self.finds.setdefault(find.kind, find._replace(times=0))
            self.finds[find.kind] = known._replace(times=known.times + 1)
        if self.made % ROUND == 0:
            self._known.append(len(self._corpus))
