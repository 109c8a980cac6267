"""Row 26: signals that have a handler come during a wait, in the engine's own way of waiting and in the system call."""

from __future__ import annotations

import ctypes
import errno
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from ctypes import byref, c_int, c_ulong, c_void_p

from nodes.engines.common import libc
from nodes.probes.common.bench import Bench, Common
from nodes.probes.common.masks import IN
from nodes.probes.common.probe import Probe
from nodes.probes.common.ring_bench import RingBench

_WAIT_NS = 300_000_000
_EVERY = 0.05
"""Seconds from one signal to the next."""


def _ready(bench: Bench) -> None:
    ours, _ = bench.pair()
    bench.watch(ours, IN)
    with alarms():
        bench.note("SIGALRM comes every 50 ms, and its handler is set with SA_RESTART")
        bench.saw("the engine's wait lasts", lasted(bench, lambda: bench.wait(_WAIT_NS)))
        name, call = system_call(bench.name)
        bench.saw("its system call", "EINTR" if call() == errno.EINTR else "goes on")
        bench.note(f"that is {name}")


def lasted(bench: Common, wait: Callable[[], object]) -> str:
    return "its whole time" if bench.timed(wait) >= _WAIT_NS else "until a signal"


@contextmanager
def alarms() -> Iterator[None]:
    before = signal.signal(signal.SIGALRM, lambda *_: None)
    signal.siginterrupt(signal.SIGALRM, False)
    signal.setitimer(signal.ITIMER_REAL, _EVERY, _EVERY)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def system_call(engine: str) -> tuple[str, Callable[[], int]]:
    """The one that the engine waits in, for as long, without Python's own loop around it; -> (name, its errno)."""
    seconds, milliseconds = libc.timespec(_WAIT_NS), _WAIT_NS // 1_000_000
    none = c_void_p()
    match engine:
        case "select":
            timeval = libc.Timespec(0, _WAIT_NS // 1000)
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


def _complete(bench: RingBench) -> None:
    ours, _ = bench.pair()
    bench.receive(ours.fileno(), 100)
    bench.handed()
    with alarms():
        bench.note("SIGALRM comes every 50 ms, and its handler is set with SA_RESTART")
        bench.saw("the engine's wait lasts", lasted(bench, lambda: bench.waited(_WAIT_NS)))


PROBE = Probe(row="26", title="signals come during the wait", starred=True, readiness=_ready, completion=_complete)
