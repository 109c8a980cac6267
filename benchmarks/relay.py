"""What a hop costs: our relay, which decides about every message, and Toxiproxy, which passes bytes, beside no hop.

    python benchmarks/relay.py [--calls 2000] [--repeats 7]

One connection carries ONC RPC calls and replies of 100 bytes, 1 or 64 of them outstanding. The relay finds each
message, asks a rule that draws for every first copy (and never bites), and journals its decision; Toxiproxy has one
proxy without toxics. Both run as in a `faultbed run`. Everything is there from the beginning, and the contenders take
turns in slices of a fraction of a second, so that a noisy machine is unfair to all of them alike. CPU is that of the
hop's process, user and system, all threads (clock_getcpuclockid(3)). "Added" is a quantile less that of the direct
connection in the same repeat; ratios are medians over the repeats.

Needs Linux and toxiproxy-server 2.x on PATH.
"""

from __future__ import annotations

import argparse
import os
import queue
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

import psutil
from rich.console import Console
from rich.progress import track
from rich.table import Table

from chaos.faults.messages import Drop
from nodes.control import TOKEN_VARIABLE, Ended, parse_control_line
from nodes.rpc.codecs import codec
from nodes.services import SERVICES
from nodes.wire.header import CallHeader, ReplyHeader, Status, client_number
from orchestrator.backends.control_client import ControlClient

SIZE = 100
DEPTHS = (1, 64)
SLICES = 5
WARM_UP = 500
LINK = "client -> server"
CLIENT = client_number(1, 1, 1)
NAMES = ("direct", "relay", "toxiproxy")
RULE = Drop(link=LINK, drop="request", probability=1e-15)


def messages(count: int) -> tuple[list[bytes], list[bytes]]:
    """That many calls and their replies."""
    interface = SERVICES["echo"].interface
    xdr = codec("xdr", interface)
    (echo,) = (procedure for procedure in interface.procedures if procedure.name == "echo")
    calls, replies = [], []
    for seq in range(1, count + 1):
        call = xdr.encode_call(seq, echo, CallHeader(CLIENT, seq, 1, 1, 0, seq), (b"x" * 20,))
        reply = xdr.encode_reply(seq, echo, ReplyHeader(CLIENT, seq, 1, Status.EXECUTED, 1, 1, 60_000), b"x" * 32)
        calls.append(xdr.wrap(call))
        replies.append(xdr.wrap(reply))
    assert {len(message) for message in (*calls, *replies)} == {SIZE}
    return calls, replies


# The server: a process of its own


def serve(count: int) -> None:
    """Every connection's k-th call has the k-th reply."""
    _, replies = messages(count)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        print(listener.getsockname()[1], flush=True)
        while True:
            connection, _ = listener.accept()
            threading.Thread(target=answer, args=(connection, replies), daemon=True).start()


def answer(connection: socket.socket, replies: list[bytes]) -> None:
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    received = answered = 0
    while data := connection.recv(65536):
        received += len(data)
        while received >= (answered + 1) * SIZE:
            connection.sendall(replies[answered])
            answered += 1


@contextmanager
def server(count: int) -> Iterator[tuple[str, int]]:
    argv = [sys.executable, __file__, "--serve", str(count)]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield "127.0.0.1", int(process.stdout.readline())
        finally:
            process.kill()


# The hops


class Hop(NamedTuple):
    """Where it is called, and the process whose CPU it costs; a direct connection has none."""

    address: tuple[str, int]
    pid: int | None


@contextmanager
def plane(name: str, home: Path, upstream: tuple[str, int]) -> Iterator[Hop]:
    """A plane's process with one link to `upstream`."""
    token = os.urandom(16)
    argv = [sys.executable, "-I", "-m", "chaos", "--plane", name, "--name", name, "--home", str(home)]
    environment = {**os.environ, TOKEN_VARIABLE: token.hex()}
    with subprocess.Popen(argv, stdout=subprocess.PIPE, env=environment, text=True) as process:
        assert process.stdout is not None
        control = ControlClient(socket.create_connection(parse_control_line(process.stdout.readline())), token)
        answers: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        listener = threading.Thread(target=listen, args=(control, answers.put))
        listener.start()
        rules = [{"index": 0, "kind": "Drop", "active": True, **asdict(RULE)}] if name == "relay" else []
        link = {"name": LINK, "transport": "tcp", "codec": "xdr", "upstream": list(upstream), "epoch": 1}
        place = {"listen": "127.0.0.1", "seed": 1, "links": [{**link, "rules": rules}]}
        try:
            control.send({"type": "configure", "id": 1, **place})
            answer = answers.get(timeout=20)
            if "error" in answer:
                sys.exit(f"the {name} plane refuses: {answer['error']}")
            host, port = answer["addresses"][LINK]
            children = psutil.Process(process.pid).children()
            yield Hop((host, port), children[0].pid if children else process.pid)
        finally:
            control.close()
            listener.join()


def listen(control: ControlClient, take: Callable[[dict[str, Any]], None]) -> None:
    try:
        control.listen(take)
    except Ended:
        return


# Measuring


class Sample(NamedTuple):
    """One slice, or several together: nanoseconds of each call, of all, and of the hop's CPU."""

    times: list[int]
    elapsed: int
    cpu: int


class Contender:
    """One connection, over which every call goes in turn."""

    def __init__(self, hop: Hop, calls: list[bytes]) -> None:
        self.socket = socket.create_connection(hop.address)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._clock = None if hop.pid is None else ~hop.pid << 3 | 2  # clock_getcpuclockid(3), as Linux makes it
        self._calls = iter(calls)

    def measure(self, count: int, depth: int) -> Sample:
        before, begun = self._cpu(), time.perf_counter_ns()
        times = self._exchange(count, depth)
        return Sample(times, time.perf_counter_ns() - begun, self._cpu() - before)

    def _exchange(self, count: int, depth: int) -> list[int]:
        """-> the nanoseconds of each call; `depth` of them are outstanding until the last is sent."""
        starts: list[int] = []
        times: list[int] = []
        received = 0
        for _ in range(min(depth, count)):
            self._send(starts)
        while len(times) < count:
            received += len(self.socket.recv(65536))
            now = time.perf_counter_ns()
            while received >= (len(times) + 1) * SIZE:
                times.append(now - starts[len(times)])
                if len(starts) < count:
                    self._send(starts)
        return times

    def _send(self, starts: list[int]) -> None:
        starts.append(time.perf_counter_ns())
        self.socket.sendall(next(self._calls))

    def _cpu(self) -> int:
        return 0 if self._clock is None else time.clock_gettime_ns(self._clock)


Results = dict[int, dict[str, list[Sample]]]
"""Depth -> contender -> one sample a repeat."""


def run(calls: int, repeats: int) -> Results:
    total = len(DEPTHS) * (WARM_UP + repeats * SLICES * (calls // SLICES))
    results: Results = {depth: {name: [] for name in NAMES} for depth in DEPTHS}
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        upstream = stack.enter_context(server(total))
        hops = {"direct": Hop(upstream, None)}
        hops |= {name: stack.enter_context(plane(name, home, upstream)) for name in NAMES[1:]}
        made, _ = messages(total)
        contenders = {name: Contender(hop, made) for name, hop in hops.items()}
        for contender in contenders.values():
            stack.enter_context(contender.socket)
            for depth in DEPTHS:
                contender.measure(WARM_UP, depth)
        for _ in track(range(repeats), "measuring", console=Console(stderr=True)):
            for depth in DEPTHS:
                for name, sample in repeat(contenders, calls, depth).items():
                    results[depth][name].append(sample)
    return results


def repeat(contenders: dict[str, Contender], calls: int, depth: int) -> dict[str, Sample]:
    slices: dict[str, list[Sample]] = {name: [] for name in contenders}
    for _ in range(SLICES):
        for name, contender in contenders.items():
            slices[name].append(contender.measure(calls // SLICES, depth))
    return {name: joined(samples) for name, samples in slices.items()}


def joined(samples: list[Sample]) -> Sample:
    times = sorted(value for sample in samples for value in sample.times)
    return Sample(times, sum(sample.elapsed for sample in samples), sum(sample.cpu for sample in samples))


def quantile(sample: Sample, share: float) -> float:
    """Microseconds."""
    return sample.times[int(len(sample.times) * share)] / 1000


def cpu(sample: Sample) -> float:
    """Microseconds a message: a call is two of them."""
    return sample.cpu / len(sample.times) / 2000


# Reporting


def median(values: Iterator[float]) -> str:
    return f"{statistics.median(values):.1f}"


def added(samples: dict[str, list[Sample]], name: str, share: float) -> list[float]:
    pairs = zip(samples[name], samples["direct"], strict=True)
    return [quantile(mine, share) - quantile(direct, share) for mine, direct in pairs]


def ratios(mine: list[float], theirs: list[float]) -> str:
    """Median, and the range; a difference that is lost in the noise has no ratio."""
    found = sorted(my / their for my, their in zip(mine, theirs, strict=True) if their > 0)
    return f"{statistics.median(found):.2f} ({found[0]:.2f} to {found[-1]:.2f})" if found else "-"


def report(results: Results) -> None:
    table = Table("depth", "hop", "messages/s", "CPU us/message", "p50 us", "p99 us", "added p50", "added p99")
    for depth, samples in results.items():
        for name in NAMES:
            table.add_row(
                str(depth),
                name,
                f"{statistics.median(2e9 * len(one.times) / one.elapsed for one in samples[name]):.0f}",
                "-" if name == "direct" else median(cpu(one) for one in samples[name]),
                *(median(quantile(one, share) for one in samples[name]) for share in (0.5, 0.99)),
                *(median(iter(added(samples, name, share))) for share in (0.5, 0.99)),
            )
    console = Console(width=None if sys.stdout.isatty() else 110)
    console.print(table)
    aims = Table("relay : toxiproxy", *(f"depth {depth}" for depth in results), "aim at depth 1 and 64")
    rows: dict[str, tuple[Callable[[dict[str, list[Sample]], str], list[float]], str]] = {
        "messages a CPU second": (lambda samples, name: [1 / cpu(one) for one in samples[name]], "at least 0.5"),
        "added p50": (lambda samples, name: added(samples, name, 0.5), "at most 1.5"),
        "added p99": (lambda samples, name: added(samples, name, 0.99), "-"),
        "messages/s": (lambda samples, name: [len(one.times) / one.elapsed for one in samples[name]], "-"),
    }
    for title, (value, aim) in rows.items():
        cells = (ratios(value(samples, "relay"), value(samples, "toxiproxy")) for samples in results.values())
        aims.add_row(title, *cells, aim)
    console.print(aims)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=2000, help="of one contender, depth and repeat")
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--serve", type=int, metavar="CALLS", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        serve(options.serve)
    else:
        report(run(options.calls, options.repeats))


if __name__ == "__main__":
    main()
