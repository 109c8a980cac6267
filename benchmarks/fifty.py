"""Fifty nodes in containers: how long until they run, until the verdict, until nothing is left, and how much memory.

    python benchmarks/fifty.py [--image IMAGE] [--repeats 1]

The scenario is large/fifty. Memory is the most that the whole machine had in use above what it used before (from
/proc/meminfo, MemAvailable), so whatever else runs there is counted too.
"""

from __future__ import annotations

import argparse
import tempfile
import threading
import time
from pathlib import Path

import psutil
from rich.console import Console
from rich.table import Table

from nodes.wire.record import Kind
from orchestrator.backends import ready as backend
from orchestrator.backends.backend import Options
from orchestrator.backends.docker.engine import answering
from orchestrator.backends.docker.leftovers import things
from orchestrator.backends.leftovers import orchestrator_id
from orchestrator.report.result import Task
from orchestrator.scenario.plan import load
from orchestrator.scenario.shipped import find
from orchestrator.sweep.cells import run_cells
from orchestrator.sweep.store import HISTORY, Store, read_history

PERIOD = 0.1


class Memory:
    """Watches how much more than at first the machine has in use, in bytes."""

    def __init__(self) -> None:
        self.most = 0
        self._before = psutil.virtual_memory().available
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self) -> Memory:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._ended.wait(PERIOD):
            self.most = max(self.most, self._before - psutil.virtual_memory().available)


def measure(options: Options) -> tuple[str, ...]:
    """One run -> its row of the table."""
    (cell,) = load(find("large/fifty")[0]).cells
    with tempfile.TemporaryDirectory(prefix="faultbed-") as folder, Memory() as memory:
        start = time.monotonic()
        with backend("docker", options) as containers:
            (result,) = run_cells([Task(cell)], containers, 1, Store(Path(folder), "run"), lambda _: None)
        whole = time.monotonic() - start
        if result.problem is not None or result.directory is None:
            raise SystemExit(str(result.problem))
        events = read_history(result.directory / HISTORY).events
    phases = {event.detail["phase"]: event.time / 1e9 for event in events if event.kind is Kind.PHASE}
    ready = phases["load"] - phases["start"]
    stopped = phases["end"] - phases["load"]
    times = (ready, stopped, whole - ready - stopped, whole)
    return (
        *(f"{seconds:.1f}" for seconds in times),
        f"{memory.most / 2**20:.0f}",
        result.exit_code.name.lower(),
        residue(),
    )


def residue() -> str:
    client = answering()
    try:
        left = [thing for thing in things(client) if thing.owner.orchestrator == orchestrator_id()]
    finally:
        client.close()
    return ", ".join(map(str, left)) or "nothing"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--image", help="the nodes' image, instead of this version's")
    arguments = parser.parse_args()
    columns = (
        "all ready s",
        "load to end s",
        "network, evidence, verdict, removal s",
        "whole s",
        "MiB",
        "verdict",
        "left",
    )
    table = Table(*columns)
    for _ in range(arguments.repeats):
        table.add_row(*measure({"image": arguments.image}))
    Console().print(table)


if __name__ == "__main__":
    main()
