"""Runs the cells of scenarios on one backend, for the tests of this folder."""

from __future__ import annotations

import tempfile
import zlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from requirements import ALL

from nodes.wire.record import Kind
from orchestrator.backends import ready
from orchestrator.backends.backend import Options
from orchestrator.history.merged import History
from orchestrator.report.result import CellResult, Exit, Task
from orchestrator.scenario.cell import Cell
from orchestrator.scenario.plan import Plan
from orchestrator.scenario.shipped import plans
from orchestrator.sweep.cells import run_cells
from orchestrator.sweep.store import HISTORY, Store, read_history

LATE = "late with nothing done to them"
"""What is said then (orchestrator/checkers/expectations.py)."""
BY_TIME = frozenset({"fair", "quiescent"})
"""Checkers that convict by time alone."""
TIMES = 3
SIDE_BY_SIDE = 4
"""Cells on real processes: one waits for three quarters of its time."""
NONE: Options = MappingProxyType({})


class Ran(NamedTuple):
    """One cell's run: what was judged, the history as it lay on disk, and its bytes."""

    result: CellResult
    history: History
    data: bytes


def applicable(plans: Iterable[Plan]) -> list[Cell]:
    """The cells that can be run, in the order of the files."""
    return [cell for plan in plans for cell in plan.cells if cell.not_applicable is None]


def share(cells: Sequence[Cell]) -> list[Cell]:
    """All of them with FAULTBED_TESTS=all; else the first of each scenario, and of the others about half."""
    first = {cell.scenario: name(cell) for cell in reversed(cells)}
    return [
        cell for cell in cells if ALL or name(cell) == first[cell.scenario] or zlib.crc32(name(cell).encode()) % 2 == 0
    ]


def last(scenario: str) -> Cell:
    """The last cell of it that can be run."""
    return applicable(plans([scenario]))[-1]


def unhurried(cell: Cell) -> Cell:
    """With clients that wait longer than several engines at work on one machine make them."""
    retry = {"first": 500, "maximum": 500, "patience": 1000}
    clients = {
        name: client.model_copy(update={"retry": client.retry.model_copy(update=retry)})
        for name, client in cell.clients.items()
    }
    return cell.model_copy(update={"nodes": {**cell.nodes, **clients}})


def run(
    cells: Sequence[Cell], backend: str, options: Options = NONE, *, idle: bool = False, times: int = TIMES
) -> list[Ran]:
    """Run them, some at a time on real processes; in the order given. Raises AssertionError if the testbed failed.

    On a busy machine operations are late, and what was to come before heal comes after it. Such a run shows nothing,
    says so by being inconclusive, and is made again. `idle`: some are meant to be, so that only late ones are. One that
    is to convict a server by what it does with its time is made again too: it may have had too little of that.
    """
    ran: dict[str, Ran] = {}
    left = list(cells)
    for _ in range(1 if backend == "sim" else times):
        ran |= {name(one.result.cell): one for one in _run(left, backend, options)}
        left = [cell for cell in left if _shows_nothing(ran[name(cell)], idle)]
        if not left:
            break
    return [ran[name(cell)] for cell in cells]


def _run(cells: Sequence[Cell], backend: str, options: Options) -> list[Ran]:
    with tempfile.TemporaryDirectory(prefix="faultbed-") as folder:
        jobs = 1 if backend == "sim" or all(map(_spins, cells)) else SIDE_BY_SIDE
        store = Store(Path(folder), "run")
        with ready(backend, options) as chosen:
            results = run_cells([Task(cell) for cell in cells], chosen, jobs, store, lambda _: None)
        return [_ran(result) for result in results]


def _spins(cell: Cell) -> bool:
    """Whether its nodes keep the cores busy all the time, which others want too."""
    return any(node.engine == "busy" for node in (*cell.servers.values(), *cell.clients.values()))


def _shows_nothing(ran: Ran, idle: bool) -> bool:
    judgement = ran.result.judgement
    late = judgement is not None and any(LATE in found.reason for found in judgement.expectations)
    missed = ran.result.exit_code is Exit.UNMET and not BY_TIME.isdisjoint(ran.result.cell.expect.convicted_by)
    return late or missed or (ran.result.exit_code is Exit.INCONCLUSIVE and not idle)


_known: dict[tuple[str, str], Ran] = {}


def once(cells: Sequence[Cell], backend: str) -> list[Ran]:
    """As `run`, without those that this process has run so before: for tests that ask different things of one run, and
    are of one group (xdist_group)."""
    keys = {name(cell): (backend, cell.model_dump_json()) for cell in cells}
    missing = [cell for cell in cells if keys[name(cell)] not in _known]
    if missing:
        _known.update((keys[name(ran.result.cell)], ran) for ran in run(missing, backend))
    return [_known[key] for key in keys.values()]


def _ran(result: CellResult) -> Ran:
    assert result.problem is None, f"{name(result.cell)}: {result.problem}"
    assert result.directory is not None
    path = result.directory / HISTORY
    return Ran(result, read_history(path), path.read_bytes())


def name(cell: Cell) -> str:
    """ "02-reply-lost[semantics=maybe,transport=udp,codec=xdr]", as claims name it."""
    return f"{cell.scenario}[{cell.cell}]"


def first_decisions(history: History) -> frozenset[tuple[Any, ...]]:
    """What was decided about the messages of every operation's first attempt. The session's `hello` is none."""
    said = ("link", "direction", "occurrence", "rule", "act")
    return frozenset(
        (event.client, event.seq, *(event.detail.get(key) for key in said))
        for event in history.events
        if event.kind is Kind.DECISION and event.seq and event.attempt == 1
    )


def seeded(cell: Cell, seed: int) -> Cell:
    """The same with another seed, which its name tells."""
    axes = {**cell.axes, "seed": str(seed)}
    return cell.model_copy(update={"seed": seed, "axes": axes, "cell": f"{cell.cell},seed={seed}"})


def not_met(ran: Iterable[Ran]) -> list[str]:
    """Which expectations of which cells are not met, and why."""
    return [
        f"{name(one.result.cell)}: {found.name}: {found.reason}"
        for one in ran
        if one.result.judgement is not None
        for found in one.result.judgement.expectations
        if found.verdict != "met"
    ]
