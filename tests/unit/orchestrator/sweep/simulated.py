"""What simulated runs of every shipped scenario come to: `simulated.txt`, in the words that a user reads; and what
would be judged if a history lacked an event, or had another: `weakened.txt`.

One seed is one run in the simulator, so a change of these texts is a change of what Faultbed does or says. Where it is
meant, `make stored` writes them anew, and the difference is to be read.
"""

from __future__ import annotations

import json
import re
import tempfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from nodes.wire.record import Kind
from orchestrator.backends import ready
from orchestrator.backends.sim.backend import BACKEND
from orchestrator.checkers.bites.bite import bite
from orchestrator.checkers.expect import judge
from orchestrator.checkers.setting import Setting
from orchestrator.checkers.verdict import Judgement, plain
from orchestrator.history.file import to_jsonl
from orchestrator.history.index import Index
from orchestrator.history.merged import Event, History
from orchestrator.report.closing import closing
from orchestrator.report.lines import cell_line
from orchestrator.report.result import CellResult, Task
from orchestrator.report.story import AROUND, story
from orchestrator.report.told import Told
from orchestrator.scenario.cell import Cell
from orchestrator.scenario.plan import Plan
from orchestrator.scenario.shipped import plans
from orchestrator.sweep.cells import run_cells
from orchestrator.sweep.store import HISTORY, Store, read_history

HERE = Path(__file__).parent
SECOND = 1_000_000_000
TITLE = "=== "
SCENARIOS = ("rpc", "faults", "mutants", "engines", "properties", "sockets")


@cache
def shipped() -> dict[str, Plan]:
    """Those that the simulator can run."""
    found = {f"{folder}/{plan.scenario}": plan for folder in SCENARIOS for plan in plans([folder])}
    return {name: plan for name, plan in found.items() if not any(any(BACKEND.problems(cell)) for cell in plan.cells)}


def told(plan: Plan) -> str:
    with tempfile.TemporaryDirectory(prefix="faultbed-") as folder:
        results = _run([cell for cell in plan.cells if cell.not_applicable is None], Path(folder))
        skipped = [cell for cell in plan.cells if cell.not_applicable is not None]
        lines = [*closing(Told(results, skipped), _history), *_counts(results), *_story(results)]
    return "\n".join(re.sub(r" +\d+\.\d+ ms ", " - ", line).rstrip() for line in lines).strip("\n")


def _run(cells: list[Cell], folder: Path) -> list[CellResult]:
    with ready("sim") as simulated:
        return run_cells([Task(cell) for cell in cells], simulated, 1, Store(folder, "run"), lambda _: None)


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
    yield "Checksums: of the histories {}, of the judgements {}".format(*_checksums(results))
    for title, counts in (("Events", happened), ("Operations", operations), ("Counts", offered)):
        yield f"{title}: " + ", ".join(f"{key} {n}" for key, n in sorted(counts.items()))


def _checksums(results: list[CellResult]) -> tuple[str, str]:
    """Of every event, of when it was and of all that it says; of all that was judged."""
    happened = judged = 0
    for result in results:
        assert result.directory is not None
        for line in to_jsonl(_history(result.directory)):
            happened = zlib.crc32(line.encode(), happened)
        said = json.dumps(plain(result.judgement), sort_keys=True)
        judged = zlib.crc32(said.encode(), judged)
    return f"{happened:08x}", f"{judged:08x}"


def _story(results: list[CellResult]) -> Iterator[str]:
    """Of the first cell, the operation of which there is most to tell."""
    first = results[0]
    assert first.directory is not None
    history = _history(first.directory)
    operations = dict.fromkeys(event.operation for event in history.events if event.kind is Kind.INVOKE)
    yield from ("", cell_line(replace(first, seconds=0)), "")
    yield from max((story(history, operation) for operation in operations), key=len)


def weakened(plan: Plan) -> str:
    """What is judged when one event of a cell's history is missing, or says something else: an event a line, of all
    that was done with one operation that was bitten, and to processes and rules. Of the last cell."""
    with tempfile.TemporaryDirectory(prefix="faultbed-") as folder:
        (result,) = _run([cell for cell in plan.cells if cell.not_applicable is None][-1:], Path(folder))
        return "\n".join(_weakened(result))


def _weakened(result: CellResult) -> Iterator[str]:
    assert result.directory is not None
    history = _history(result.directory)
    operation = min(bite(Setting(result.cell, Index(history))).bitten, default=None)
    yield f"{result.cell.cell}"
    for event in history.events:
        if event.operation == operation or _around(event, result.cell):
            place = f"{_named(event)} by {event.node}/{event.epoch}, attempt {event.attempt}"
            yield f"  {place}: {_differences(result.cell, history, event)}"


def _around(event: Event, cell: Cell) -> bool:
    """How others than servers begin and end is the same in all of them."""
    of_life = event.kind in (Kind.START, Kind.REAPED)
    return event.kind in AROUND and (event.detail.get("node") in cell.servers if of_life else bool(event.detail))


def _differences(cell: Cell, history: History, event: Event) -> str:
    """What is said first when it is missing; and a checksum of all that is judged then, and when it is there twice, or
    altered."""
    missing = _judged(cell, history, event.order)
    others: list[dict[str, Any]] = [
        {"detail": {**event.detail, key: _other(value)}} for key, value in event.detail.items()
    ]
    others += [{"attempt": event.attempt + 1}, {"seq": event.seq + 1}, {"time": event.time + SECOND}]
    altered = [_judged(cell, history, event.order, event._replace(**each)) for each in others]
    twice = _judged(cell, history, event.order, event, event)
    said = json.dumps([plain(each) for each in (missing, twice, *altered)], sort_keys=True)
    reasons = [*missing.gate, *(found.reason for found in missing.expectations if found.verdict != "met")]
    return f"{reasons[0] if reasons else '-'} #{zlib.crc32(said.encode()):08x}"


def _judged(cell: Cell, history: History, order: int, *instead: Event) -> Judgement:
    before, after = history.events[:order], history.events[order + 1 :]
    rest = [event._replace(order=n) for n, event in enumerate((*instead, *after), order)]
    return judge(cell, history._replace(events=(*before, *rest)), history.plan)


def _other(value: Any) -> Any:
    match value:
        case bool():
            return not value
        case int():
            return value + 1
        case str():
            return value + "~"
    return None


def _history(folder: Path) -> History:
    return read_history(folder / HISTORY)


def _named(event: Event) -> str:
    name = Kind(event.kind).name.lower()
    return f"{name} {event.detail['act']}" if "act" in event.detail else name


def stored(kind: Kept) -> dict[str, str]:
    parts = FILES[kind].read_text().split(TITLE)[1:]
    return {name: text.strip("\n") for name, _, text in (part.partition("\n") for part in parts)}


def names(kind: Kept) -> list[str]:
    """A history is weakened for each fault: that takes a second."""
    return [name for name in shipped() if kind is told or name.startswith(("faults/", "properties/"))]


def main() -> None:
    for kind, path in FILES.items():
        path.write_text("\n".join(f"{TITLE}{name}\n\n{kind(shipped()[name])}\n" for name in names(kind)))


Kept = Callable[[Plan], str]
FILES: dict[Kept, Path] = {told: HERE / "simulated.txt", weakened: HERE / "weakened.txt"}

if __name__ == "__main__":
    main()
