"""What simulated runs of every shipped scenario come to: `simulated.txt`, in the words that a user reads.

One seed is one run in the simulator, so a change of these texts is a change of what Faultbed does or says. Where it is
meant, `python tests/unit/orchestrator/sweep/simulated.py` writes them anew, and the difference is to be read.
"""

from __future__ import annotations

import re
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

from nodes.wire.record import Kind
from orchestrator.history.merged import Event, History
from orchestrator.report.closing import closing
from orchestrator.report.lines import cell_line
from orchestrator.report.result import CellResult, Task
from orchestrator.report.story import story
from orchestrator.scenario.cell import Cell
from orchestrator.scenario.plan import Plan
from orchestrator.scenario.shipped import plans
from orchestrator.sweep.cells import run_cells
from orchestrator.sweep.store import HISTORY, Store, read_history

FILE = Path(__file__).with_suffix(".txt")
TITLE = "=== "
SCENARIOS = ("rpc", "faults", "mutants", "engines")
NOT_SIMULATED = {("mutants/fence-ignored", "stopped at received")}
"""(scenario, value of its axis `fault`): a simulated process cannot stop in the middle of a step."""


@cache
def shipped() -> dict[str, Plan]:
    return {f"{folder}/{plan.scenario}": plan for folder in SCENARIOS for plan in plans([folder])}


def told(name: str, plan: Plan) -> str:
    cells = [cell for cell in plan.cells if (name, cell.axes.get("fault")) not in NOT_SIMULATED]
    with tempfile.TemporaryDirectory(prefix="faultbed-") as folder:
        results = _run([cell for cell in cells if cell.not_applicable is None], Path(folder))
        skipped = [cell for cell in cells if cell.not_applicable is not None]
        lines = [*closing(results, skipped, _history), *_counts(results), *_story(results)]
    return "\n".join(re.sub(r" +\d+\.\d+ ms ", " - ", line).rstrip() for line in lines).strip("\n")


def _run(cells: list[Cell], folder: Path) -> list[CellResult]:
    return run_cells([Task(cell) for cell in cells], "sim", 1, Store(folder, "run"), lambda _: None)


def _counts(results: list[CellResult]) -> Iterator[str]:
    """What is in the histories, and what was judged, of all cells together."""
    happened: Counter[str] = Counter()
    offered: Counter[str] = Counter()
    operations: Counter[str] = Counter()
    for result in results:
        assert result.judgement is not None, result.error
        assert result.directory is not None
        happened.update(_named(event) for event in _history(result.directory).events)
        offered.update(result.judgement.opportunities)
        operations.update(
            {key: getattr(result.judgement, key) for key in ("bitten", "missed", "caught", "late", "others")}
        )
        for verdict in result.judgement.properties:
            offered.update({f"{verdict.name} {verdict.verdict} {key}": n for key, n in verdict.counts.items()})
    yield ""
    for title, counts in (("Events", happened), ("Operations", operations), ("Counts", offered)):
        yield f"{title}: " + ", ".join(f"{key} {n}" for key, n in sorted(counts.items()))


def _story(results: list[CellResult]) -> Iterator[str]:
    """Of the first cell, the operation of which there is most to tell."""
    first = results[0]
    assert first.directory is not None
    history = _history(first.directory)
    operations = dict.fromkeys(event.operation for event in history.events if event.kind is Kind.INVOKE)
    yield from ("", cell_line(replace(first, seconds=0)), "")
    yield from max((story(history, operation) for operation in operations), key=len)


def _history(folder: Path) -> History:
    return read_history(folder / HISTORY)


def _named(event: Event) -> str:
    name = Kind(event.kind).name.lower()
    return f"{name} {event.detail['act']}" if "act" in event.detail else name


def stored() -> dict[str, str]:
    parts = FILE.read_text().split(TITLE)[1:]
    return {name: text.strip("\n") for name, _, text in (part.partition("\n") for part in parts)}


def main() -> None:
    FILE.write_text("\n".join(f"{TITLE}{name}\n\n{told(name, plan)}\n" for name, plan in shipped().items()))


if __name__ == "__main__":
    main()
