"""What a cell of three nodes costs in containers beyond its workload, and what `docker run` of the same ones costs.

    python benchmarks/backends.py [--repeats 7] [--image IMAGE]

Contenders take turns, so that a noisy machine is unfair to all alike; medians are printed, and the ratio of each
repeat's times. "docker cell" is one cell of rpc/02-reply-lost from an engine without anything of ours to one without
again: network, server, relay and client in containers with volumes, verdict, removal. Its *workload* is what passes
between the phases load and stop, and what remains is overhead. "docker run" is the same network and three containers
of the same image under the same confinement with the same volumes, each doing nothing, started one after another or
side by side by the command `docker`, and removed.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import tempfile
import time
import uuid
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from rich.console import Console
from rich.progress import track
from rich.table import Table

from nodes.wire.record import Kind
from orchestrator.backends import ready
from orchestrator.backends.backend import Options
from orchestrator.backends.docker.image import image_name
from orchestrator.report.result import Task
from orchestrator.scenario.plan import load
from orchestrator.scenario.shipped import find
from orchestrator.sweep.cells import run_cells
from orchestrator.sweep.store import HISTORY, Store, read_history

AXES = {"semantics": "exactly-once", "transport": "tcp", "codec": "msgpack"}
SUBNET = "10.207.{}.0/24"
NODES = 3


class Cost(NamedTuple):
    """Seconds: of the whole, and of the workload in it."""

    whole: float
    workload: float = 0.0

    @property
    def overhead(self) -> float:
        return self.whole - self.workload


def cell(backend: str, options: Options) -> Cost:
    """One cell, from nothing to a verdict and to nothing again."""
    chosen = next(cell for cell in load(find("rpc/02-reply-lost")[0]).cells if AXES.items() <= cell.axes.items())
    with tempfile.TemporaryDirectory(prefix="faultbed-") as folder:
        start = time.monotonic()
        with ready(backend, options) as made:
            (result,) = run_cells([Task(chosen)], made, 1, Store(Path(folder), "run"), lambda _: None)
        whole = time.monotonic() - start
        if result.problem is not None or result.directory is None:
            raise SystemExit(f"{backend}: {result.problem}")
        events = read_history(result.directory / HISTORY).events
    phases = {event.detail["phase"]: event.time for event in events if event.kind is Kind.PHASE}
    return Cost(whole, (phases["stop"] - phases["load"]) / 1e9)


def plain(image: str, number: int, at_once: int) -> Cost:
    """A network and three containers by the command `docker`."""
    name = f"faultbed-benchmark-{uuid.uuid4().hex[:12]}"
    start = time.monotonic()
    docker("network", "create", "--internal", "--subnet", SUBNET.format(number % 256), name)
    try:
        with ThreadPoolExecutor(at_once) as pool:
            list(pool.map(lambda node: run(name, f"{name}-{node}", image), range(NODES)))
    finally:
        docker("volume", "rm", *(f"{name}-{node}" for node in range(NODES)))
        docker("network", "rm", name)
    return Cost(time.monotonic() - start)


def run(network: str, volume: str, image: str) -> None:
    confined = ("--init", "--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--read-only")
    kept = ("--tmpfs", "/tmp", "--volume", f"{volume}:/data", "--no-healthcheck", "--user", "1000:1000")
    command = ("--entrypoint", "python3", image, "-I", "-c", "pass")
    docker("run", "--rm", "--network", network, *confined, *kept, *command)


def docker(*arguments: str) -> None:
    subprocess.run(["docker", *arguments], check=True, stdout=subprocess.DEVNULL)


def measure(contenders: dict[str, Callable[[int], Cost]], repeats: int) -> dict[str, list[Cost]]:
    costs: dict[str, list[Cost]] = {name: [] for name in contenders}
    for number in track(range(repeats + 1), "measuring", transient=True):
        for name, contender in contenders.items():
            cost = contender(number)
            if number:  # the first round warms caches up
                costs[name].append(cost)
    return costs


def report(costs: dict[str, list[Cost]], console: Console) -> None:
    table = Table("contender", "whole s", "workload s", "overhead s", "ratio of overheads")
    ours = [cost.overhead for cost in costs["docker cell"]]
    for name, measured in costs.items():
        overheads = [cost.overhead for cost in measured]
        ratio = median([mine / theirs for mine, theirs in zip(ours, overheads, strict=True)])
        cells = [median([cost.whole for cost in measured]), median([cost.workload for cost in measured])]
        table.add_row(name, *(f"{value:.2f}" for value in (*cells, median(overheads))), f"{ratio:.2f}")
    console.print(table)
    console.print("ratio of overheads: docker cell / contender, the median over the repeats; 1 is parity")


def median(values: Sequence[float]) -> float:
    return statistics.median(values)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--image", default=image_name(), help="the nodes' image")
    arguments = parser.parse_args()
    options = {"image": arguments.image}
    contenders: dict[str, Callable[[int], Cost]] = {
        "docker cell": lambda number: cell("docker", options),
        "docker run, side by side": lambda number: plain(arguments.image, number, NODES),
        "docker run, one by one": lambda number: plain(arguments.image, number, 1),
        "local cell": lambda number: cell("local", options),
    }
    report(measure(contenders, arguments.repeats), Console())


if __name__ == "__main__":
    main()
