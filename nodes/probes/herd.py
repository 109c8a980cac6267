"""Row 23: eight processes wait on one listener, each with a poller of its own: how many wake for one connection.

What they are told hides it, since who comes too late is told nothing. So it is counted how often each gave up the
processor by itself (voluntary_ctxt_switches, proc(5)): once for each time that it woke and went to sleep again. Between
two connections all of them are asleep.
"""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from nodes.engines.common.poller import Trigger
from nodes.probes.common import isolation, settled
from nodes.probes.common.bench import Bench, Common
from nodes.probes.common.blocking_bench import BlockingBench
from nodes.probes.common.masks import IN
from nodes.probes.common.probe import Probe
from nodes.probes.common.ring_bench import RingBench
from nodes.probes.common.trace import Trace

_PROCESSES, _CONNECTIONS = 8, 40
_ONE, _ALL = 2 * _CONNECTIONS, 6 * _CONNECTIONS
"""At most so many switches are about one for each connection, at least so many are of all."""


def _ready(bench: Bench) -> None:
    listener = bench.sockets.listener(_CONNECTIONS)

    def serve() -> None:
        poller = bench.subject.make()
        poller.register(listener.fileno(), IN)
        while True:
            if poller.wait(None):
                _accept(listener)
                if poller.trigger is Trigger.ONE_SHOT:
                    poller.register(listener.fileno(), IN)

    _stampede(bench, listener, serve)


def _complete(bench: RingBench) -> None:
    listener = bench.sockets.listener(_CONNECTIONS)

    def serve() -> None:
        own = RingBench(Trace(lambda _: None))
        while True:
            own.accept(listener.fileno())
            while not own.accepted:
                own.waited(1_000_000_000_000)
            os.close(own.accepted.pop())

    _stampede(bench, listener, serve)


def _accept(listener: socket.socket) -> None:
    try:
        accepted, _ = listener.accept()
    except BlockingIOError:
        return
    accepted.close()


def _stampede(bench: Common, listener: socket.socket, serve: Callable[[], None]) -> None:
    with _children(serve) as children:
        settled.until(lambda: all(map(settled.sleeps, children)), "eight processes to wait, by /proc/PID/wchan")
        before = sum(map(_switches, children))
        bench.note("eight processes wait on one listener")
        for _ in range(_CONNECTIONS):
            with socket.create_connection(listener.getsockname()) as client:
                client.recv(1)
            settled.until(lambda: all(map(settled.sleeps, children)), "all of them to wait again")
        switches = sum(map(_switches, children)) - before
    bench.note(f"{_CONNECTIONS} connections made {switches} voluntary context switches")
    bench.saw("woken for each connection", classed(switches))


def classed(switches: int) -> str:
    if switches <= _ONE:
        return "about one"
    return "all of them" if switches >= _ALL else "some of them"


@contextmanager
def _children(serve: Callable[[], None]) -> Iterator[list[int]]:
    found: list[int] = []
    try:
        for _ in range(_PROCESSES):
            found.append(_forked(serve))
        yield found
    finally:
        for child in found:
            os.kill(child, signal.SIGKILL)
        for child in found:
            os.waitpid(child, 0)


def _forked(serve: Callable[[], None]) -> int:
    parent = os.getpid()
    child = os.fork()
    if child == 0:
        try:
            isolation.end_with(parent)
            serve()
        finally:
            os._exit(1)
    return child


def _switches(process: int) -> int:
    with open(f"/proc/{process}/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("voluntary_ctxt_switches"))


def _block(bench: BlockingBench) -> None:
    listener = bench.sockets.listener(_CONNECTIONS)
    listener.setblocking(True)

    def serve() -> None:
        while True:
            _accept(listener)

    _stampede(bench, listener, serve)


PROBE = Probe(
    row="23",
    title="eight processes on one listener",
    starred=True,
    readiness=_ready,
    completion=_complete,
    blocking=_block,
    deadline=60.0,
)
