"""PURE: what is to be explored, as a value that can be pickled: the product, one of its variants, or a scenario."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from orchestrator.explore.generate import Ground, ours
from orchestrator.explore.words import DRAWN
from orchestrator.scenario.cell import Cell, Variant

if TYPE_CHECKING:
    from random import Random


class Unexplorable(Exception):
    """Nothing of it can vary. The message says why, and what was expected."""


class Subject(NamedTuple):
    """`cells` are a scenario's, none for the product's own; `variant` is a broken one of those."""

    variant: Variant | None = None
    cells: tuple[Cell, ...] = ()

    @property
    def ground(self) -> Ground:
        return _varied(self.cells) if self.cells else ours(self.variant)


def of_scenario(cells: tuple[Cell, ...]) -> Subject:
    """Raises Unexplorable."""
    drawn = tuple(cell for cell in cells if _verbs((cell,)))
    if not drawn:
        told = {fault.verb for cell in cells for fault in cell.faults}
        found = f"it has {', '.join(sorted(told))}" if told else "it has no faults"
        raise Unexplorable(f"none of its faults varies: {found}; expected one of {', '.join(sorted(DRAWN))}")
    return Subject(cells=drawn)


def _verbs(cells: tuple[Cell, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(fault.verb for cell in cells for fault in cell.faults if fault.verb in DRAWN))


def _varied(cells: tuple[Cell, ...]) -> Ground:
    """Other faults of the same words, in the same nodes and links. What the scenario expects is of the faults that it
    has."""

    def draw(random: Random) -> Cell:
        return random.choice(cells)

    def vary(cell: Cell, random: Random) -> Cell:
        return random.choice(cells).model_copy(update={"faults": cell.faults})

    return Ground(draw, vary, _verbs(cells))
