"""What another thread does while the probe's thread waits in the kernel."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from nodes.probes.common import settled
from nodes.probes.common.bench import Common


@contextmanager
def meanwhile(bench: Common, what: str, act: Callable[[], object]) -> Iterator[None]:
    """`act` is done once this thread waits for something in the kernel, which must be in the context's body.

    Raises Unsettled, or what `act` raises, when it is left.
    """
    waiter = threading.get_native_id()
    failed: list[Exception] = []

    def work() -> None:
        try:
            settled.until(lambda: settled.sleeps(waiter), "the wait to have begun")
            bench.note(what)
            act()
        except Exception as error:
            failed.append(error)

    thread = threading.Thread(target=work, name=what)
    thread.start()
    try:
        yield
    finally:
        thread.join()
    if failed:
        raise failed[0]
