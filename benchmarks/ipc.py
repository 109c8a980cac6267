"""Messages per second and latency between two processes of one host: our channels, multiprocessing's and ZeroMQ's.

    python benchmarks/ipc.py [--seconds 0.3] [--repeats 7] [--only shm_ring+zeromq] [--quick]

Of each contender and size there is one process that sends and one that receives, and they take turns with those of all
others, so that a noisy machine is unfair to all alike. *Rate*: one side sends as fast as it can, the other receives;
messages a second, from when the sender is told to begin to the last received. *Latency*: a message goes there and one
comes back, over two channels; half of that time is printed. A ratio compares the rates of one repeat; the median over
the repeats is printed: above 1 the contender is faster than Pipe, Queue or ZeroMQ. All receive `bytes`; "shm_ring,
view" looks at the message where it lies. multiprocessing's Pipe sends bytes too (send_bytes), its Queue pickles; ZeroMQ
is PUSH and PULL over ipc://, with its high-water mark of 1000 messages, and copies (copy=True).
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import statistics
import sys
import tempfile
import time
import uuid
from collections.abc import Callable
from multiprocessing.process import BaseProcess
from typing import Any, Protocol

from rich.console import Console
from rich.progress import track
from rich.table import Table

from nodes import ipc
from nodes.ipc.common.channel import End, Role

SIZES = {"64 B": 64, "4 KiB": 4096, "1 MiB": 1 << 20}
COMPARED = ("Pipe", "Queue", "zeromq")
FORK = multiprocessing.get_context("fork")
MOST = 200_000
"""Messages of one measurement."""
WARM_UP = 3
VIEW = "shm_ring, view"


class Link(Protocol):
    """One way, made before the processes part; each then calls its side."""

    def sender(self) -> Callable[[bytes], Any]: ...

    def receiver(self) -> Callable[[], Any]: ...

    def unlink(self) -> None: ...


class Ours:
    """The receiver creates it, in its process, and says so by a pipe; the sender attaches."""

    def __init__(self, mechanism: str, view: bool = False) -> None:
        self._module, self._view = ipc.mechanism(mechanism), view
        self._name = f"b{uuid.uuid4().hex[:12]}"
        self._made = os.pipe()
        self._end: End | None = None
        if ipc.declared(mechanism).related:
            self._end = self._module.create(self._name, Role.RECEIVER)

    def sender(self) -> Callable[[bytes], Any]:
        if self._end is not None:
            return self._module.attach(self._end.address, Role.SENDER).send
        os.read(self._made[0], 1)
        return self._module.attach(self._name, Role.SENDER).send

    def receiver(self) -> Callable[[], Any]:
        self._end = end = self._end or self._module.create(self._name, Role.RECEIVER)
        os.write(self._made[1], b"x")
        return seen(end) if self._view else end.receive

    def unlink(self) -> None:
        if self._end is not None:
            self._end.close()
            self._end.unlink()


def seen(end: Any) -> Callable[[], int]:
    def look() -> int:
        view = end.receive_view()
        size = len(view)
        end.release()
        return size

    return look


class Pipe:
    def __init__(self) -> None:
        self._reader, self._writer = FORK.Pipe(duplex=False)

    def sender(self) -> Callable[[bytes], Any]:
        return self._writer.send_bytes

    def receiver(self) -> Callable[[], Any]:
        return self._reader.recv_bytes

    def unlink(self) -> None:
        self._reader.close()
        self._writer.close()


class Queue:
    """Bounded, as the others are."""

    def __init__(self) -> None:
        self._queue: Any = FORK.Queue(1000)

    def sender(self) -> Callable[[bytes], Any]:
        return self._queue.put

    def receiver(self) -> Callable[[], Any]:
        return self._queue.get

    def unlink(self) -> None:
        self._queue.close()
        self._queue.cancel_join_thread()


class ZeroMQ:
    def __init__(self) -> None:
        self._path = os.path.join(tempfile.gettempdir(), f"faultbed-{uuid.uuid4().hex[:12]}.zeromq")

    def sender(self) -> Callable[[bytes], Any]:
        import zmq

        own = zmq.Context.instance().socket(zmq.PUSH)
        own.connect(f"ipc://{self._path}")
        return own.send

    def receiver(self) -> Callable[[], Any]:
        import zmq

        own = zmq.Context.instance().socket(zmq.PULL)
        own.bind(f"ipc://{self._path}")
        return own.recv

    def unlink(self) -> None:
        if os.path.exists(self._path):
            os.unlink(self._path)


def kinds() -> dict[str, Callable[[], Link]]:
    found: dict[str, Callable[[], Link]] = {"Pipe": Pipe, "Queue": Queue, "zeromq": ZeroMQ}
    for name in ipc.NAMES:
        if not ipc.declared(name).wrong and ipc.availability(name) is None:
            found[name] = lambda name=name: Ours(name)  # type: ignore[misc]
    if "shm_ring" in found:
        found[VIEW] = lambda: Ours("shm_ring", view=True)
    return found


def largest(name: str) -> int:
    """Bytes of a message, of one of ours."""
    if name not in ipc.NAMES:
        return 1 << 30
    with ipc.mechanism(name).create(f"b{uuid.uuid4().hex[:12]}", Role.RECEIVER) as end:
        end.unlink()
        return end.largest


class Contender:
    """Two processes: this one, which asks and times, and one that answers. Commands go over a pipe beside."""

    def __init__(self, make: Callable[[], Link], size: int) -> None:
        self._there, self._back = make(), make()
        self._message = b"x" * size
        self._control, other = FORK.Pipe()
        self._process: BaseProcess = FORK.Process(target=self._answer, args=(other,), daemon=True)
        self._process.start()
        self._receive = self._there.receiver()
        self._control.send(("ready", 0))
        self._control.recv()
        self._send = self._back.sender()
        self.latency(WARM_UP)

    def _answer(self, control: Any) -> None:
        receive = self._back.receiver()
        send = self._there.sender()
        while True:
            what, count = control.recv()
            if what == "end":
                return self._back.unlink()
            if what == "ready":
                control.send(None)
            for _ in range(count):
                if what == "echo":
                    receive()
                send(self._message)

    def rate(self, count: int) -> float:
        """Messages a second."""
        receive = self._receive
        start = time.perf_counter_ns()
        self._control.send(("send", count))
        for _ in range(count):
            receive()
        return count / (time.perf_counter_ns() - start) * 1e9

    def latency(self, count: int) -> list[float]:
        """Microseconds of one way."""
        send, receive, message = self._send, self._receive, self._message
        self._control.send(("echo", count))
        times = []
        for _ in range(count):
            start = time.perf_counter_ns()
            send(message)
            receive()
            times.append((time.perf_counter_ns() - start) / 2000)
        return times

    def close(self) -> None:
        self._control.send(("end", 0))
        self._process.join(10)
        self._process.kill()
        self._there.unlink()
        self._back.unlink()


class Measured:
    def __init__(self) -> None:
        self.rates: list[float] = []
        self.times: list[float] = []


def counts(contender: Contender, seconds: float) -> tuple[int, int]:
    """How many messages are about so many seconds."""
    rate = contender.rate(50)
    for _ in range(2):
        rate = contender.rate(max(50, min(MOST, int(rate * seconds / 5))))
    latency = statistics.median(contender.latency(20))
    return max(20, min(MOST, int(rate * seconds))), max(20, min(5000, int(seconds * 5e5 / latency)))


def measure(size: int, label: str, names: list[str], seconds: float, repeats: int) -> dict[str, Measured]:
    able = [name for name in names if largest(name) >= size]
    made = {name: Contender(kinds()[name], size) for name in able}
    results = {name: Measured() for name in able}
    try:
        planned = {name: counts(contender, seconds) for name, contender in made.items()}
        for _ in track(range(repeats), label, console=Console(stderr=True)):
            for name, contender in made.items():
                messages, trips = planned[name]
                results[name].rates.append(contender.rate(messages))
                results[name].times += contender.latency(trips)
    finally:
        for contender in made.values():
            contender.close()
    return results


def report(label: str, names: list[str], results: dict[str, Measured]) -> None:
    peers = [peer for peer in COMPARED if peer in results]
    table = Table(label, "messages/s", "p50 us", "p99 us", *(f"x {peer}" for peer in peers))
    for name in names:
        if name not in results:
            table.add_row(name, "too large")
            continue
        mine = results[name]
        times = sorted(mine.times)
        table.add_row(
            name,
            f"{statistics.median(mine.rates):,.0f}",
            f"{times[len(times) // 2]:.1f}",
            f"{times[len(times) * 99 // 100]:.1f}",
            *(f"{ratio(mine.rates, results[peer].rates):.2f}" for peer in peers),
        )
    Console(width=None if sys.stdout.isatty() else 110).print(table)


def ratio(mine: list[float], theirs: list[float]) -> float:
    return statistics.median(my / their for my, their in zip(mine, theirs, strict=True))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=0.3, help="of each measurement")
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--only", default="", help="contenders, with + between")
    parser.add_argument("--quick", action="store_true", help="as short as it can be; measures nothing")
    options = parser.parse_args()
    if options.quick:
        options.seconds, options.repeats = 0.001, 1
    names = [name for name in kinds() if name in options.only.split("+") or not options.only]
    for label, size in SIZES.items():
        report(label, names, measure(size, label, names, options.seconds, options.repeats))


if __name__ == "__main__":
    main()
