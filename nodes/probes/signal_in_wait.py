"""Row 26: a signal that has a handler comes during a wait: of the engine, and of the system call by itself."""

from __future__ import annotations

import ctypes
import errno
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from ctypes import byref, c_int, c_ulong, c_void_p

from nodes.engines.common import libc
from nodes.probes.common.bench import Bench, Common
from nodes.probes.common.blocking_bench import BlockingBench, limit
from nodes.probes.common.masks import IN
from nodes.probes.common.meanwhile import FOR_EVER_NS, during
from nodes.probes.common.probe import Probe
from nodes.probes.common.ring_bench import RingBench

_LONG_NS = 5_000_000_000
"""Of a system call that nothing but the signal ends."""


def _ready(bench: Bench) -> None:
    ours, theirs = bench.pair()
    bench.watch(ours, IN)
    _signalled(bench, lambda: bench.wait(FOR_EVER_NS), lambda: theirs.send(b"!"))
    name, call = system_call(bench.name)
    with handled():
        code, _ = during(bench, call, f"SIGALRM, in {name}", interrupt, lambda: None)
    bench.saw("its system call", "EINTR" if code == errno.EINTR else "goes on")


def _complete(bench: RingBench) -> None:
    ours, theirs = bench.pair()
    bench.receive(ours.fileno(), 100)
    bench.handed()
    _signalled(bench, lambda: bench.waited(FOR_EVER_NS), lambda: theirs.send(b"!"))


def _signalled(bench: Common, wait: Callable[[], object], end: Callable[[], object]) -> None:
    with handled():
        _, ended = during(bench, wait, "SIGALRM", interrupt, end)
    bench.saw("the engine's wait", "ends" if ended else "goes on")


@contextmanager
def handled() -> Iterator[None]:
    """SIGALRM has a handler, with SA_RESTART."""
    before = signal.signal(signal.SIGALRM, lambda *_: None)
    signal.siginterrupt(signal.SIGALRM, False)
    try:
        yield
    finally:
        signal.signal(signal.SIGALRM, before)


def interrupt() -> None:
    """The probe's thread gets the signal: it is woken by the time this returns."""
    signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGALRM)


def system_call(engine: str) -> tuple[str, Callable[[], int]]:
    """The one that the engine waits in, for as long, without Python's own loop around it; -> (name, its errno)."""
    seconds, milliseconds = libc.timespec(_LONG_NS), _LONG_NS // 1_000_000
    none = c_void_p()
    match engine:
        case "select":
            timeval = libc.Timespec(_LONG_NS // 1_000_000_000, 0)
            return "select(2)", _called("select", 0, none, none, none, byref(timeval))
        case "pselect":
            return "pselect(2)", _called("pselect", 0, none, none, none, seconds, none)
        case "poll":
            return "poll(2)", _called("poll", none, c_ulong(0), c_int(milliseconds))
        case "ppoll":
            return "ppoll(2)", _called("ppoll", none, c_ulong(0), seconds, none)
        case "sigio":
            return "sigtimedwait(2)", _called("sigtimedwait", byref(libc.sigset([])), none, seconds)
    return "epoll_wait(2)", _epoll_wait(milliseconds)


def _epoll_wait(milliseconds: int) -> Callable[[], int]:
    def call() -> int:
        import select

        with select.epoll() as made:
            room = ctypes.create_string_buffer(16)
            return _called("epoll_wait", made.fileno(), room, 1, milliseconds)()

    return call


def _called(name: str, *arguments: object) -> Callable[[], int]:
    function = getattr(ctypes.CDLL(None, use_errno=True), name)

    def call() -> int:
        return ctypes.get_errno() if function(*arguments) < 0 else 0

    return call


def _block(bench: BlockingBench) -> None:
    ours, theirs = bench.ends()
    _signalled(bench, lambda: ours.recv(1), lambda: theirs.send(b"!"))
    for step, microseconds in (("its system call", 0), ("with SO_RCVTIMEO", _LONG_NS // 1000)):
        limit(ours, microseconds)
        room = ctypes.create_string_buffer(1)
        call = _called("recv", ours.fileno(), room, 1, 0)
        with handled():
            code, ended = during(bench, call, step, interrupt, lambda: theirs.send(b"!"))
        bench.saw(step, "EINTR" if ended and code == errno.EINTR else "goes on")


PROBE = Probe(
    row="26",
    title="a signal comes during the wait",
    starred=True,
    readiness=_ready,
    completion=_complete,
    blocking=_block,
)
