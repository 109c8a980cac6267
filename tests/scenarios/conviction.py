"""How soon the explorer convicts each broken variant, untold of the fault; and how small what it then shows is.

`make convictions` prints the table, a line for each variant and seed. It fails if one is not convicted within LIMIT, or
is shown with more than three faults or four calls.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from time import process_time
from typing import NamedTuple, get_args

from orchestrator.explore.found import shrunk
from orchestrator.explore.hunt import Find, Hunt
from orchestrator.explore.subject import Subject
from orchestrator.explore.workers import hunt
from orchestrator.scenario.cell import Cell, Variant

LIMIT = 120.0
"""CPU seconds until a variant is convicted."""


class Size(NamedTuple):
    """What a scenario shows it with: its faults, all its calls, and the processes that make them."""

    faults: int
    calls: int
    clients: int

    @property
    def small(self) -> bool:
        return self.faults <= 3 and self.calls <= 4


class Conviction(NamedTuple):
    """By its first find: after so many runs, with CPU seconds until then and for shrinking it."""

    find: Find
    runs: int
    seconds: float
    shrinking: float
    cell: Cell

    @property
    def size(self) -> Size:
        return size(self.cell)


def size(cell: Cell) -> Size:
    callers = cell.clients.values()
    calls = sum(client.calls * client.clients for client in callers)
    return Size(len(cell.faults), calls, sum(client.clients for client in callers))


def convicted(variant: Variant, seed: int, runs: int | None = None, limit: float = LIMIT) -> Conviction | None:
    """None: not within these runs and CPU seconds."""
    subject, state, begun = Subject(variant), Hunt(seed, runs, 1), process_time()
    hunt(subject, state, 1, lambda: state.over or process_time() - begun > limit)
    found = process_time()
    for find in state.finds.values():
        small = shrunk(find)
        return Conviction(find, find.number + 1, found - begun, process_time() - found, small.cell)
    return None


def _line(variant: str, seed: int, one: Conviction | None) -> str:
    if one is None:
        return f"{variant:28} {seed:4}  not within {LIMIT:.0f} s"
    check, (faults, calls, clients) = one.find.surprise.checks[0], one.size
    small = "" if one.size.small else "  too large"
    took = f"{one.runs:6} {one.seconds:7.1f} {one.shrinking:9.1f}"
    return f"{variant:28} {seed:4} {took} {faults:6} {calls:5} {clients:7}  {check}{small}"


def _lines(variants: Sequence[Variant], seeds: int) -> Iterator[tuple[str, bool]]:
    yield f"{'variant':28} {'seed':>4} {'runs':>6} {'CPU s':>7} {'shrinking':>9} faults calls clients  check", True
    for variant in variants:
        for seed in range(1, seeds + 1):
            one = convicted(variant, seed)
            yield _line(variant, seed, one), one is not None and one.size.small


def main() -> int:
    known = list(get_args(Variant))
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("variants", nargs="*", metavar="VARIANT", help="all of them without one")
    parser.add_argument("--seeds", type=int, default=5)
    chosen = parser.parse_args()
    good = True
    for line, fine in _lines(chosen.variants or known, chosen.seeds):
        print(line, flush=True)
        good &= fine
    return not good


if __name__ == "__main__":
    sys.exit(main())
