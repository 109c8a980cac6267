"""PURE: what a cell shows, on systems of the smallest shapes: with its own faults, or with others of their kind.

For what no single step makes smaller: with a call less all comes at another time, and the fault at the wrong one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice, product
from typing import TYPE_CHECKING

from chaos.faults.fault import Fault
from orchestrator.explore.generate import Barren, Ground, fresh
from orchestrator.explore.smaller import moved_fault, of_process, with_node
from orchestrator.scenario.cell import Cell, Link

if TYPE_CHECKING:
    from random import Random

SEEDS = range(1, 5)
SHAPES = ((1, 2), (1, 3), (2, 2), (1, 4))
"""Processes, and the calls of each."""
PLACES = 64
"""Ways to place the faults that are tried for each shape."""
DRAWS = 600
"""Cells that are drawn for each shape."""
PLAIN = ("duplicate", "drop")
"""What may do as well as other words, and needs fewer calls than some."""
COUNTER, ADD = "counter", "add"


def reshaped(cell: Cell, random: Random) -> Iterator[Cell]:
    """Of one client only. Each has fewer calls than the cell, those with the fewest first; then the same of counters,
    where every call counts."""
    if len(cell.clients) == 1:
        yield from _small(cell, random)
        if cell != (counting := _counting(cell)):
            yield from _small(counting, random)


def _counting(cell: Cell) -> Cell:
    """With a counter in the place of what is called, and its workload; messages on sockets have none."""
    if not all(isinstance(link, Link) for link in cell.links):
        return cell
    servers = {name: server.model_copy(update={"service": COUNTER}) for name, server in cell.servers.items()}
    clients = {name: client.model_copy(update={"workload": ADD}) for name, client in cell.clients.items()}
    return cell.model_copy(update={"nodes": {**cell.nodes, **servers, **clients}})


def _small(cell: Cell, random: Random) -> Iterator[Cell]:
    ((name, client),) = cell.clients.items()
    for processes, calls in SHAPES:
        if processes * calls < client.clients * client.calls:
            small = _shaped(cell, name, processes, calls)
            for faults, seed in product(_placed(small, name), SEEDS):
                yield small.model_copy(update={"faults": faults, "seed": seed})
            yield from _redrawn(small, random)


def _shaped(cell: Cell, name: str, processes: int, calls: int) -> Cell:
    client = cell.clients[name]
    gates = {min(gate, calls): trigger for gate, trigger in client.gates.items()}
    fewer = {"clients": processes, "calls": calls, "gates": gates, "after_heal": 1}
    return with_node(cell, name, client.model_copy(update=fewer))


def _placed(cell: Cell, name: str) -> Iterator[tuple[Fault, ...]]:
    """Wherever the cell's own faults may meet a call there."""
    return islice(product(*(_places(cell, fault, name) for fault in cell.faults)), PLACES)


def _places(cell: Cell, fault: Fault, name: str) -> list[Fault]:
    """What names an operation names each in turn, but for the last, which comes after heal."""
    client = cell.clients[name]
    moved = [moved_fault(fault, name, _all_to(number)) for number in range(1, client.calls)]
    return list(dict.fromkeys(of_process(one, last) for one in moved for last in range(1, client.clients + 1)))


def _all_to(number: int) -> Callable[[int], int]:
    return lambda _: number


def _redrawn(cell: Cell, random: Random) -> Iterator[Cell]:
    """With no more faults than it has."""
    verbs = tuple(dict.fromkeys((*(fault.verb for fault in cell.faults), *PLAIN)))
    ground = Ground(lambda random: cell, lambda other, random: other, verbs)
    for _ in range(DRAWS):
        try:
            drawn = fresh(ground, random).cell
        except Barren:
            return
        if len(drawn.faults) <= len(cell.faults):
            yield drawn.model_copy(update={"seed": random.choice(SEEDS)})
