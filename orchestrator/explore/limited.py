"""A run that takes too long ends, by the CPU time of this process: whatever else the machine does meanwhile is no
reason."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

AGAIN = 1.0
"""Seconds of CPU time after which it strikes once more: a checker that crashes stops nobody."""


class OutOfTime(Exception):
    """Raised wherever the process is by then."""


@contextmanager
def limited(seconds: float) -> Iterator[None]:
    """Only a main thread hears of signals, and not every system has this timer; elsewhere there is no limit.

    Raises OutOfTime, also where what was struck fails of it in another way.
    """
    if threading.current_thread() is not threading.main_thread() or not hasattr(signal, "setitimer"):
        yield
        return

    told = f"it takes more than {seconds:g} s of CPU time"
    struck = False

    def strike(number: int, frame: FrameType | None) -> None:
        nonlocal struck
        struck = True
        raise OutOfTime(told)

    before = signal.signal(signal.SIGPROF, strike)
    signal.setitimer(signal.ITIMER_PROF, seconds, AGAIN)
    try:
        yield
    except Exception as error:
        if struck and not isinstance(error, OutOfTime):
            raise OutOfTime(told) from error
        raise
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)
