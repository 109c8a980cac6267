"""PURE: what a cell's types cannot say: whether its parts fit one another. Each problem has its place in the file."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator

from chaos.problem import Problem
from orchestrator.scenario.cell import Cell
from orchestrator.scenario.coherence import expectations, faults, nodes

Check = Callable[[Cell], Iterator[Problem]]

NODES = frozenset({"nodes", "links"})
FAULTS = NODES | {"faults"}
CHECKS: tuple[tuple[Check, frozenset[str]], ...] = (
    (nodes.problems, frozenset({"nodes"})),
    (nodes.links, NODES),
    (faults.problems, FAULTS),
    (nodes.gates, FAULTS),
    (expectations.problems, FAULTS | {"expect"}),
)
"""Each, and the parts of the document that it looks at."""


def problems(cell: Cell, unread: Collection[str] = ()) -> Iterator[Problem]:
    """Every reason why this cell cannot be run as it is written, but none that has another one for its cause.

    Of parts that could not be read nothing is known; nor of links whose nodes are not there.
    """
    unknown = set(unread)
    if NODES.isdisjoint(unread):
        for problem in nodes.called(cell):
            yield problem
            unknown.add("links")
    for check, needs in CHECKS:
        if needs.isdisjoint(unknown):
            yield from check(cell)
