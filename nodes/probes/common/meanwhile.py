"""What happens while the probe's thread waits in the kernel, and whether that ends the wait: seen, not timed."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TypeVar

from nodes.probes.common import settled
from nodes.probes.common.bench import Common
from nodes.probes.common.probe import PATIENCE_NS

FOR_EVER_NS = 30_000_000_000
"""Of a wait that something is to end."""
BY = {True: "by it", False: "only by something else"}
"""What ends a wait: what was done meanwhile, or not."""
T = TypeVar("T")


def during(
    bench: Common, wait: Callable[[], T], what: str, act: Callable[[], object], end: Callable[[], object]
) -> tuple[T, bool]:
    """Another thread does `act` once this one waits in the kernel; -> (what the wait gave, whether `act` ended it).

    If the wait goes on all the same, `end` ends it. Raises what one of them raises, or Unsettled.
    """
    over = threading.Event()
    failed: list[Exception] = []
    ended_by_it: list[bool] = []
    waiter = threading.get_native_id()

    def work() -> None:
        try:
            settled.until(lambda: over.is_set() or settled.sleeps(waiter), "the wait to have begun, by /proc/PID/wchan")
            bench.note(what)
            act()
            ended_by_it.append(_ends(over, waiter))
        except Exception as error:
            failed.append(error)
        end()

    thread = threading.Thread(target=work, name=what)
    thread.start()
    try:
        result = wait()
    finally:
        over.set()
        thread.join()
    if failed:
        raise failed[0]
    return result, ended_by_it[0]


def _ends(over: threading.Event, waiter: int) -> bool:
    """Whether the wait comes to its end. Who was woken runs, or waits for the interpreter, until then."""
    deadline = time.monotonic_ns() + PATIENCE_NS
    while not over.is_set() and time.monotonic_ns() < deadline:
        time.sleep(settled.GLANCE)
    settled.until(lambda: over.is_set() or settled.sleeps(waiter), "the wait to go on, or to end")
    return over.is_set()
