"""PURE: what a cell's types cannot say: whether its parts fit one another. Each problem has its place in the file."""

from __future__ import annotations

from collections.abc import Iterator

from chaos.problem import Problem
from orchestrator.scenario.cell import Cell
from orchestrator.scenario.coherence import expectations, faults, nodes


def problems(cell: Cell) -> Iterator[Problem]:
    """Every reason why this cell cannot be run as it is written, the first one first."""
    yield from nodes.problems(cell)
    yield from faults.problems(cell)
    yield from nodes.gates(cell)
    yield from expectations.problems(cell)
