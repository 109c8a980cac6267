"""What the I/O engines cost, beside a hand-written epoll loop, asyncio and uvloop.

    python benchmarks/engines [--only echo,wake,calls,memory,held] [--kinds epoll,...] [--plots FOLDER] [--page FILE]

- echo: server CPU per 1 KiB echo, throughput and latency, 100 connections with one message outstanding on each.
- wake: the round trip of one byte beside idle connections, and a line in two pieces through its medians.
- calls: system calls (counted by strace) and context switches per echo.
- memory: resident bytes per connection that has carried a message.
- held: as many connections as the descriptor limit allows, each answered.

Every server is a process of its own; this process is the load. Within a repeat all servers are there and take turns in
slices of some ten milliseconds, in which the others are stopped, so that whatever else the host does meets all of them
alike. Ratios are of the same repeat. Figures of different hosts or days are not to be compared.
"""

from __future__ import annotations

import argparse
import re
import shutil
import signal
import statistics
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import page
from load import Server, descriptors
from servers import PEERS

from nodes import engines

RAW, UVLOOP = "raw epoll", "uvloop protocol"
MESSAGE = bytes(1024)
CONNECTIONS = 100
SLICES = 20
IDLE = (0, 100, 250, 500, 900, 2000, 4000)
tables: list[str] = []
"""What this run has told."""
SPARE = 64
"""Descriptors of a server or this process that are no connections."""
MANY_THREADS = 1000
"""More connections are not asked of a kind that has a thread or process for each."""


class Limits(NamedTuple):
    repeats: int
    messages: int
    trips: int


def kinds(wanted: str | None) -> list[str]:
    """The peers, then the engines that can run here; or what is wanted of these. Says what is left out, and why."""
    found = list(PEERS)
    for name in engines.NAMES:
        reason = engines.availability(name)
        if reason is None:
            found.append(name)
        else:
            print(f"left out: engine {name}: {reason}", file=sys.stderr)
    if wanted is None:
        return found
    chosen = wanted.split(",")
    if unknown := set(chosen) - set(found):
        sys.exit(f"no such server here: {', '.join(sorted(unknown))}; there are {', '.join(found)}")
    return [RAW, *(kind for kind in chosen if kind != RAW)]


def capacity(kind: str) -> int:
    """The connections that it can have, besides what descriptors allow."""
    if "select" in kind:
        return 1024 - SPARE
    return MANY_THREADS if kind in ("threads", "fork") else sys.maxsize


def started(held: ExitStack, names: Sequence[str]) -> dict[str, Server]:
    servers = {}
    for kind in names:
        servers[kind] = Server(kind)
        held.callback(servers[kind].stop)
    return servers


def tell(text: str) -> None:
    print(text, file=sys.stderr)


def spread(values: Sequence[float], digits: int) -> str:
    return f"{statistics.median(values):.{digits}f} ({min(values):.{digits}f} to {max(values):.{digits}f})"


def table(title: str, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    widths = [max(len(row[column]) for row in (heads, *rows)) for column in range(len(heads))]
    lines = [
        "  ".join(
            cell.ljust(width) if not at else cell.rjust(width)
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in (heads, *rows)
    ]
    tables.append("\n".join([title, "", *lines]))
    print(f"\n{tables[-1]}", flush=True)


# --- echo ---


class Echoes(NamedTuple):
    cost: float
    """CPU microseconds an echo."""
    rate: float
    """Echoes a second, while it was this server's turn."""
    p50: float
    p99: float
    """Microseconds."""


def echo_once(names: Sequence[str], messages: int) -> dict[str, Echoes]:
    with ExitStack() as held:
        servers = started(held, names)
        loads = {}
        for kind, server in servers.items():
            loads[kind] = server.load(CONNECTIONS, MESSAGE)
            server.pause()
        costs, took = dict.fromkeys(names, 0.0), {kind: [] for kind in names}
        for _ in range(SLICES):
            for kind, server in servers.items():
                with server.turn():
                    before = server.usage().cpu
                    took[kind] += loads[kind].echo(messages // SLICES)
                    costs[kind] += server.usage().cpu - before
    count = messages // SLICES * SLICES
    told = {}
    for kind in names:
        micro = np.array(took[kind]) / 1000
        p50, p99 = np.percentile(micro, (50, 99))
        told[kind] = Echoes(costs[kind] / count * 1e6, CONNECTIONS / micro.mean() * 1e6, float(p50), float(p99))
    return told


def echo(names: Sequence[str], limits: Limits) -> dict[str, Any]:
    samples: dict[str, list[Echoes]] = {kind: [] for kind in names}
    for number in range(limits.repeats):
        for kind, told in echo_once(names, limits.messages).items():
            samples[kind].append(told)
        tell(f"echo: repeat {number + 1} of {limits.repeats}")
    heads = ["server", "CPU us an echo", "efficiency, raw = 1", "uvloop = 1", "echoes/s", "p50 us", "p99 us"]
    rows = []
    for kind, mine in samples.items():
        ratios = [
            spread([peer.cost / one.cost for peer, one in zip(samples[other], mine, strict=True)], 2)
            if other in samples
            else "-"
            for other in (RAW, UVLOOP)
        ]
        rest = [f"{statistics.median(values):.0f}" for values in list(zip(*mine, strict=True))[1:]]
        rows.append([kind, spread([one.cost for one in mine], 2), *ratios, *rest])
    table(
        f"1 KiB echo, {CONNECTIONS} connections, {limits.messages} messages; of {limits.repeats} repeats the median "
        "(lowest to highest)",
        heads,
        rows,
    )
    return {kind: statistics.median(one.cost for one in mine) for kind, mine in samples.items()}


# --- wake-up latency ---


class Fit(NamedTuple):
    """y = intercept + slope x, and from `knee` on another slope. Microseconds; slopes are a thousand descriptors'."""

    intercept: float
    slope: float
    knee: float
    beyond: float


def fit(points: Sequence[tuple[float, float]]) -> Fit:
    """Least squares with the knee at the inner point that leaves least."""
    x, y = np.array(points, dtype=float).T
    found = []
    for knee in x[1:-1]:
        basis = np.stack([np.ones_like(x), x, np.maximum(0, x - knee)], axis=1)
        answer = np.linalg.lstsq(basis, y, rcond=None)[0]
        found.append((float(((basis @ answer - y) ** 2).sum()), knee, answer))
    _, knee, (intercept, slope, bend) = min(found, key=lambda one: one[0])
    return Fit(float(intercept), float(slope) * 1000, float(knee), float(slope + bend) * 1000)


def wake_at(names: Sequence[str], idle: int, trips: int) -> dict[str, list[int]]:
    """Round trips in nanoseconds."""
    with ExitStack() as held:
        servers = started(held, [kind for kind in names if idle < capacity(kind)])
        active = {}
        for kind, server in servers.items():
            if idle:
                server.load(idle, b"i")
            active[kind] = server.load(1, b"a")
            server.pause()
        took: dict[str, list[int]] = {kind: [] for kind in servers}
        for _ in range(SLICES):
            for kind, load in active.items():
                with servers[kind].turn():
                    took[kind] += load.echo(trips // SLICES)
        return took


def wake(names: Sequence[str], limits: Limits) -> dict[str, Any]:
    points: dict[str, list[tuple[float, float]]] = {kind: [] for kind in names}
    tails: dict[str, list[str]] = {}
    room = descriptors() // len(names) - SPARE
    for idle in (one for one in IDLE if one <= room):
        for kind, took in wake_at(names, idle, limits.trips).items():
            micro = np.array(took) / 1000
            points[kind].append((idle, float(np.median(micro))))
            tails[kind] = [f"{value:.0f}" for value in np.percentile(micro, (50, 99, 99.9))]
        tell(f"wake: beside {idle} idle connections")
    rows = []
    for kind, mine in points.items():
        bend = fit(mine) if len(mine) > 2 else None
        told = (
            [f"{bend.intercept:.1f}", f"{bend.slope:.2f}", f"{bend.knee:.0f}", f"{bend.beyond:.2f}"]
            if bend
            else ["-"] * 4
        )
        rows.append([kind, f"{mine[-1][0]:.0f}", *tails[kind], *told])
    heads = ["server", "most idle", "p50", "p99", "p99.9", "intercept", "slope", "knee", "slope beyond"]
    table(
        "A byte's round trip beside idle connections, us; percentiles beside the most, slopes in us a 1000 idle",
        heads,
        rows,
    )
    return points


# --- system calls, memory, connections held ---


def calls(names: Sequence[str], limits: Limits) -> dict[str, Any]:
    strace = shutil.which("strace")
    if strace is None:
        tell("calls: no strace here, so system calls are not counted")
    rows = []
    for kind in names:
        with ExitStack() as held:
            server = started(held, [kind])[kind]
            load = server.load(CONNECTIONS, MESSAGE)
            before = server.usage()
            load.echo(limits.messages)
            after = server.usage()
            switches = [after.voluntary - before.voluntary, after.involuntary - before.involuntary]
            counted = (
                "-" if strace is None else f"{traced(strace, server, lambda load=load: load.echo(2000)) / 2000:.2f}"
            )
            rows.append([kind, counted, *(f"{count / limits.messages:.3f}" for count in switches)])
        tell(f"calls: {kind}")
    table("Per echo", ["server", "system calls", "voluntary switches", "involuntary"], rows)
    return {}


def traced(strace: str, server: Server, work: Callable[[], object]) -> int:
    """The system calls of all its threads and processes meanwhile."""
    processes = [str(server.process.pid), *server.children()]
    command = [strace, "-f", "-c", "-U", "calls,name", "-p", ",".join(processes)]
    watching = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert watching.stderr is not None
    for _ in processes:
        if "attached" not in watching.stderr.readline():
            watching.wait()
            raise RuntimeError("strace cannot attach: it needs CAP_SYS_PTRACE, or kernel.yama.ptrace_scope = 0")
    work()
    watching.send_signal(signal.SIGINT)
    told = watching.communicate()[1]
    found = re.search(r"^\s*(\d+)\s+total$", told, re.MULTILINE)
    if found is None:
        raise RuntimeError(f"strace ended with: {told}")
    return int(found[1])


def memory(names: Sequence[str], limits: Limits) -> dict[str, Any]:
    rows = []
    for kind in names:
        with ExitStack() as held:
            server = started(held, [kind])[kind]
            server.load(1, MESSAGE)
            before = server.usage().resident
            count = min(900, capacity(kind))
            server.load(count, MESSAGE)
            rows.append([kind, f"{(server.usage().resident - before) / count / 1024:.1f}"])
    table("Memory per connection, KiB resident (the kernel's buffers not counted)", ["server", "KiB"], rows)
    return {}


def held(names: Sequence[str], limits: Limits) -> dict[str, Any]:
    allowed = descriptors() - SPARE
    rows = []
    for kind in names:
        count = min(allowed, capacity(kind))
        with ExitStack() as stack:
            server = started(stack, [kind])[kind]
            load = server.load(count, b"x" * 64)
            answered = len(load.echo(count))
            resident = server.usage().resident
            rows.append([kind, str(count), str(answered), f"{resident / 2**20:.0f}"])
        tell(f"held: {kind}: {answered} of {count} answered")
    table(f"Connections held, {allowed} at most by the descriptor limit", ["server", "held", "answered", "MiB"], rows)
    return {}


# --- plots ---


def plot(results: dict[str, dict[str, Any]], folder: Path) -> None:
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    folder.mkdir(parents=True, exist_ok=True)
    if "wake" in results:
        figure, axes = pyplot.subplots(figsize=(8, 5))
        for kind, points in results["wake"].items():
            axes.plot(*zip(*points, strict=True), marker="o", markersize=3, label=kind)
        axes.set(xscale="symlog", yscale="log", xlabel="idle connections", ylabel="median round trip of a byte, us")
        axes.legend(fontsize="small")
        save(figure, folder / "wake")
    if "echo" in results:
        figure, axes = pyplot.subplots(figsize=(8, 5))
        costs = results["echo"]
        axes.barh(list(costs), list(costs.values()))
        axes.set(xlabel=f"server CPU per 1 KiB echo, us ({CONNECTIONS} connections)")
        axes.invert_yaxis()
        save(figure, folder / "echo")


def save(figure: Any, path: Path) -> None:
    figure.tight_layout()
    for ending in (".svg", ".png"):
        figure.savefig(path.with_suffix(ending))
        print(f"written: {path.with_suffix(ending)}")


MEASURES = {"echo": echo, "wake": wake, "calls": calls, "memory": memory, "held": held}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--only", default=",".join(MEASURES), help="some of %(default)s")
    parser.add_argument("--kinds", help="servers, by name; raw epoll is always there")
    parser.add_argument("--repeats", type=int, default=9)
    parser.add_argument("--messages", type=int, default=60_000)
    parser.add_argument("--quick", action="store_true", help="fewer repeats and messages")
    parser.add_argument("--plots", type=Path, help="a folder for SVG and PNG")
    parser.add_argument("--page", type=Path, help="a document whose figures are to be these")
    arguments = parser.parse_args()
    chosen = arguments.only.split(",")
    if unknown := set(chosen) - set(MEASURES):
        parser.error(f"no such measure: {', '.join(sorted(unknown))}; there are {', '.join(MEASURES)}")
    limits = Limits(2, 8_000, 400) if arguments.quick else Limits(arguments.repeats, arguments.messages, 2_000)
    if arguments.page is not None:
        page.around(arguments.page)
    names = kinds(arguments.kinds)
    results = {name: MEASURES[name](names, limits) for name in chosen}
    if arguments.plots is not None:
        plot(results, arguments.plots)
    if arguments.page is not None:
        page.write(arguments.page, tables)


if __name__ == "__main__":
    main()
