"""What this process used, as its system counts it."""

from __future__ import annotations

import os
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from time import process_time_ns

import pytest

from nodes.engines.common.endpoint import Endpoint
from nodes.usage import ProcessMeter
from nodes.wire.addresses import IPv4

ANY = IPv4("127.0.0.1", 0)
SOME = 30_000_000
"""Nanoseconds of CPU: more than any clock's grain."""

linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux counts it")


def spin(nanoseconds: int) -> None:
    end = process_time_ns() + nanoseconds
    while process_time_ns() < end:
        pass


@contextmanager
def child(nanoseconds: int) -> Iterator[int]:
    """A process that uses so much CPU, and then waits for its end."""
    told, tell = os.pipe()
    number = os.fork()
    if number == 0:
        spin(nanoseconds)
        os.write(tell, b"x")
        signal.pause()
    try:
        os.read(told, 1)
        yield number
    finally:
        os.close(told)
        os.close(tell)


def listening(stack: ExitStack, backlog: int) -> Endpoint:
    raw = stack.enter_context(socket.socket())
    raw.bind(ANY)
    raw.listen(backlog)
    return Endpoint(raw, IPv4(*raw.getsockname()), None)


def test_cpu_is_counted() -> None:
    meter = ProcessMeter()
    before = meter.spent()
    spin(SOME)
    after = meter.spent()
    assert after.cpu - before.cpu >= SOME
    assert (before.voluntary is None) == (sys.platform == "win32")


def test_a_descriptor_has_its_number() -> None:
    with ExitStack() as stack:
        listener = listening(stack, 1)
        assert ProcessMeter().number(listener) == listener.raw.fileno()


@linux
def test_who_is_dropped_since_the_backlog_is_full_is_counted() -> None:
    with ExitStack() as stack:
        meter, listeners = ProcessMeter(), [listening(stack, 1), listening(stack, 9)]
        assert meter.overflows(listeners) == 0
        for _ in range(6):
            client = stack.enter_context(socket.socket())
            client.setblocking(False)
            client.connect_ex(listeners[0].local)
        dropped = meter.overflows(listeners)
        assert dropped is not None
        assert dropped > 0


def test_a_listener_that_says_nothing_of_it_is_none() -> None:
    with ExitStack() as stack:
        listener = listening(stack, 1)
        listener.raw.close()
        assert ProcessMeter().overflows([listener]) is None


@linux
def test_the_cpu_of_its_children_is_its_own_while_they_live_and_after() -> None:
    children: set[int] = set()
    meter = ProcessMeter(children, shared=False)
    before = meter.spent().cpu
    with child(SOME) as number:
        children.add(number)
        alive = meter.spent().cpu
        assert alive - before >= SOME
        os.kill(number, 9)
        os.waitpid(number, 0)
        ended = meter.spent().cpu  # it is still among them
        children.remove(number)
        assert alive <= ended <= meter.spent().cpu


def test_without_the_module_that_counts_switches_nobody_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "resource", None)
    spent = ProcessMeter().spent()
    assert (spent.voluntary, spent.involuntary) == (None, None)
    assert spent.cpu > 0
