"""What judging a recorded run costs: CPU an event by stage, and memory, from a thousand operations to a million.

    python benchmarks/checker.py [--sizes 1000 10000 100000 1000000] [--one 10000 100000] [--every 50]
        [--keep FOLDER]

A history is one that a simulated run recorded (a counter, exactly-once over TCP; every fiftieth reply of each of ten
clients is lost, or every so-manieth), repeated with shifted numbers until it has the operations: what is judged has the
shape of what is recorded, some thirteen events an operation; with `--every 1`, where each loses its first reply and is
repeated, some twenty. `--one` are sizes of histories of one client. Each is judged in a process of its own, as
`faultbed check` does it; the whole is what one judgement takes from the first byte to the verdict, peak memory is its
process's, and the stages are taken one after another behind it.
"""

from __future__ import annotations

import argparse
import gc
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

from rich.console import Console
from rich.table import Table

from nodes.wire.record import Kind
from orchestrator.backends import ready
from orchestrator.checkers import evidence
from orchestrator.checkers.checker import asked, finding
from orchestrator.checkers.expect import judge
from orchestrator.checkers.properties import CHECKERS
from orchestrator.checkers.views import Views
from orchestrator.history.file import written
from orchestrator.history.index import Index
from orchestrator.history.merged import Event, History
from orchestrator.report.result import Task
from orchestrator.scenario.cell import Cell
from orchestrator.scenario.plan import expand
from orchestrator.sweep.cells import run_cells
from orchestrator.sweep.store import HISTORY, CellStore, Store, read_run

SCENARIO = """
scenario: checker
about: some replies are lost
nodes:
  server: {{service: counter}}
  client: {{workload: add, calls: {calls}, clients: {clients}, after_heal: {after_heal}}}
links:
  - {{from: client, to: server, semantics: exactly-once, transport: tcp, codec: msgpack}}
faults:
  - {{drop: reply, link: client -> server, every: {every}}}
expect:
  others: {{client: ok, executions: 1}}
  delivery: {{holds: exactly-once, under: [loss]}}
"""
BLOCK = AFTER_HEAL = 100
"""Calls of each client that are repeated, and those after heal."""
CLIENTS = 10
ROWS = 0
"""What a number counts: the calls of a client, or rows."""
COUNTING = {"intent": BLOCK, "first": BLOCK, "mark": BLOCK, "n": ROWS, "result": ROWS}
TOTALS = frozenset({Kind.OK, Kind.REPLY, Kind.COMMIT, Kind.ANSWER, Kind.EFFECT})
"""Kinds that tell the counter's value."""

T = TypeVar("T")
Shifts = list[tuple[str, int]]
"""The entries of a detail that are larger where it is repeated, and what they count."""
Shifting = tuple[Event, Shifts]


def _shifting(events: Sequence[Event]) -> list[Shifting]:
    return [(event, _shifts(event)) for event in events]


def _shifts(event: Event) -> Shifts:
    total = event.kind in TOTALS and event.detail.get("value") is not None
    counting = COUNTING | ({"value": ROWS} if total else {})
    return [(key, counting[key]) for key in event.detail if key in counting]


class Repeated:
    """The events of a recorded run, with what lies between its first call and heal so many times in a row."""

    def __init__(self, recorded: History, times: int, rows: int) -> None:
        events = recorded.events
        first = next(event.order for event in events if event.kind is Kind.INVOKE)
        heal = next(event.order for event in events if event.kind is Kind.PHASE and event.detail["phase"] == "heal")
        effects = [event for event in events if event.kind is Kind.EFFECT]
        self._before, self._tail = events[:first], events[heal : effects[0].order]
        self._block = [event for event in events[first:heal] if event.kind is not Kind.GATE]
        self._again = [event for event in self._block if event.seq or event.kind is Kind.TRIM]  # hello is said once
        gates = [event for event in events[first:heal] if event.kind is Kind.GATE]
        self._gates = [event._replace(time=events[heal].time) for event in gates]
        self._effects, self._last = effects[:rows], effects[rows:]
        self._ledgers = events[effects[-1].order + 1 :]
        self._times, self._rows = times, rows
        self._duration = events[heal].time - events[first].time

    def __iter__(self) -> Iterator[Event]:
        order = 0
        for number, events in self._all():
            for event, shifts in events:
                yield self._shifted(event, shifts, order, number)
                order += 1

    def __len__(self) -> int:
        once = len(self._before) + len(self._gates) + len(self._tail) + len(self._last) + len(self._ledgers)
        return once + len(self._block) + (self._times - 1) * len(self._again) + self._times * len(self._effects)

    def _all(self) -> Iterator[tuple[int, list[Shifting]]]:
        """With the times that they were repeated by then."""
        last = self._times - 1
        again, rows = _shifting(self._again), _shifting(self._effects)
        yield 0, _shifting(self._before)
        yield 0, _shifting(self._block)
        yield from ((number, again) for number in range(1, self._times))
        yield last, _shifting([*self._gates, *self._tail])
        yield from ((number, rows) for number in range(self._times))
        yield last, _shifting([*self._last, *self._ledgers])

    def _shifted(self, event: Event, shifts: Shifts, order: int, number: int) -> Event:
        _, time, domain, node, epoch, kind, client, seq, attempt, process, detail = event
        by = {BLOCK: number * BLOCK, ROWS: number * self._rows}
        if shifts:
            detail = dict(detail)
            for key, what in shifts:
                detail[key] += by[what]
        if kind is Kind.LEDGER:
            detail = {**detail, "state": {"total": detail["state"]["total"] + by[ROWS]}}
        time += number * self._duration
        seq += by[BLOCK] if seq else 0
        return tuple.__new__(Event, (order, time, domain, node, epoch, kind, client, seq, attempt, process, detail))


def record(operations: int, clients: int, every: int, folder: Path) -> None:
    """A run of so many operations, as if it had been recorded into the folder."""
    times = max(1, operations // clients // BLOCK - 1)
    with tempfile.TemporaryDirectory(prefix="faultbed-") as scratch, ready("sim", {}) as simulator:
        task, store = Task(_cell(BLOCK, clients, every)), Store(Path(scratch), "run")
        (result,) = run_cells([task], simulator, 1, store, lambda _: None)
        assert result.directory is not None, result.problem
        recorded = read_run(result.directory).history
    plan = CellStore(folder).write_plan(_cell(times * BLOCK, clients, every))
    events: Any = Repeated(recorded, times, BLOCK * clients)
    with (folder / HISTORY).open("wb") as file:
        file.writelines(written(recorded._replace(events=events, plan=plan)))


def _cell(calls: int, clients: int, every: int) -> Cell:
    text = SCENARIO.format(calls=calls + AFTER_HEAL, clients=clients, after_heal=AFTER_HEAL, every=every)
    return expand(text, "checker").cells[0]


def measure(folder: Path) -> dict[str, Any]:
    """CPU seconds: of the whole, and of each stage; bytes of memory."""
    gc.disable()  # as judging does
    start = time.process_time()
    judgement = judge(*read_run(folder))
    whole = time.process_time() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    assert not judgement.gate, judgement.gate
    assert all(each.verdict == "met" for each in judgement.expectations), judgement.expectations
    stages: dict[str, float] = {}
    recorded = _timed(stages, "load", lambda: read_run(folder))
    index = _timed(stages, "index", lambda: Index(recorded.history))
    setting = _timed(stages, "bites, opportunities", lambda: Views(recorded.cell, index, recorded.plan))
    _timed(stages, "gate", lambda: evidence.problems(setting))
    for name, checker in CHECKERS.items():
        if asked(checker, setting):
            _timed(stages, name, lambda checker=checker: finding(checker, setting))  # type: ignore[misc]
    return {"events": len(recorded.history.events), "whole": whole, "peak": peak, "stages": stages}


def _timed(stages: dict[str, float], name: str, act: Callable[[], T]) -> T:
    start = time.process_time()
    made = act()
    stages[name] = time.process_time() - start
    return made


def measured(operations: int, clients: int, every: int, folder: Path) -> dict[str, Any]:
    """In a process of its own."""
    if not folder.exists():
        record(operations, clients, every, folder)
    told = subprocess.run([sys.executable, __file__, "--judge", str(folder)], check=True, stdout=subprocess.PIPE)
    return dict(json.loads(told.stdout))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--sizes", type=int, nargs="*", default=[1_000, 10_000, 100_000, 1_000_000])
    parser.add_argument("--one", type=int, nargs="*", default=[10_000, 100_000])
    parser.add_argument("--every", type=int, default=50, help="which replies are lost")
    parser.add_argument("--keep", type=Path, help="where the histories are made, and found again")
    parser.add_argument("--judge", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.judge:
        print(json.dumps(measure(given.judge)))
        return
    with tempfile.TemporaryDirectory(prefix="faultbed-") as scratch:
        folder = given.keep or Path(scratch)
        rows = [(size, CLIENTS) for size in given.sizes] + [(size, 1) for size in given.one]
        found = [(row, measured(*row, given.every, folder / f"{row[0]}-{row[1]}-{given.every}")) for row in rows]
    _print(found)


def _print(found: list[tuple[tuple[int, int], dict[str, Any]]]) -> None:
    table = Table(title="CPU microseconds an event, and memory")
    stages = list(found[0][1]["stages"])
    for name in ("operations", "clients", "events", "whole, s", "whole", "peak, MB", *stages):
        table.add_column(name, justify="right")
    for (operations, clients), run in found:
        each = [run["whole"], *run["stages"].values()]
        micro = [f"{seconds / run['events'] * 1e6:.2f}" for seconds in each]
        counts = (f"{operations:,}", str(clients), f"{run['events']:,}", f"{run['whole']:.1f}")
        table.add_row(*counts, micro[0], f"{run['peak'] / 1e6:.0f}", *micro[1:])
    Console(width=160).print(table)


if __name__ == "__main__":
    main()
