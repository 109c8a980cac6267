"""An inbox gives what was put, in order, and keeps its time however busy the process is."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable, Iterator
from time import monotonic

import pytest

from orchestrator.backends.inbox import Inbox, Nothing

SHORT = 1e-6
"""Seconds that pass between any two steps of a get."""


@pytest.fixture
def crowded() -> Iterator[None]:
    """Others want to run too, and take turns as often as they can."""
    over = threading.Event()

    def spin() -> None:
        while not over.is_set():
            sum(range(1_000))

    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    threads = [threading.Thread(target=spin) for _ in range(3)]
    for thread in threads:
        thread.start()
    yield
    over.set()
    for thread in threads:
        thread.join()
    sys.setswitchinterval(before)


def test_what_was_put_comes_in_order() -> None:
    inbox: Inbox[int] = Inbox()
    for number in range(5):
        inbox.put(number)
    assert [inbox.get(), inbox.get(0), inbox.get(1), inbox.get(), inbox.get(SHORT)] == list(range(5))
    with pytest.raises(Nothing):
        inbox.get(0)


def ends(get: Callable[[], object]) -> bool:
    """Whether it comes back, in a thread that nobody waits for else."""
    thread = threading.Thread(target=get, daemon=True)
    thread.start()
    thread.join(60)
    return not thread.is_alive()


def test_its_time_passes_also_where_it_does_between_two_steps(crowded: None) -> None:
    """As it does on a busy machine, where queue.SimpleQueue of CPython 3.11.7 does not come back now and then."""
    inbox: Inbox[int] = Inbox()

    def often_enough() -> None:
        for number in range(500):
            inbox.put(number)
            assert inbox.get() == number
            with pytest.raises(Nothing):
                inbox.get(SHORT)

    assert ends(often_enough)


def test_it_waits_for_what_comes_and_no_longer_than_it_is_to() -> None:
    inbox: Inbox[str] = Inbox()
    threading.Timer(0.02, inbox.put, ["came"]).start()
    assert inbox.get(100) == "came"
    threading.Timer(0.02, inbox.put, ["came again"]).start()
    assert inbox.get() == "came again"
    begun = monotonic()
    with pytest.raises(Nothing):
        inbox.get(0.02)
    assert monotonic() - begun >= 0.02


def test_several_put_and_nothing_is_lost(crowded: None) -> None:
    inbox: Inbox[tuple[int, int]] = Inbox()

    def put(who: int) -> None:
        for number in range(500):
            inbox.put((who, number))

    threads = [threading.Thread(target=put, args=[who]) for who in range(4)]
    for thread in threads:
        thread.start()
    came = [inbox.get(100) for _ in range(4 * 500)]
    for who in range(4):
        assert [number for one, number in came if one == who] == list(range(500))
    for thread in threads:
        thread.join()


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no interval timer")
def test_a_signal_handler_may_put_while_its_thread_takes() -> None:
    inbox: Inbox[int] = Inbox()
    before = signal.signal(signal.SIGALRM, lambda *_: inbox.put(1))
    signal.setitimer(signal.ITIMER_REAL, 0.0005, 0.0005)
    try:
        for _ in range(200):
            assert inbox.get(100) == 1
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
