"""A process of probes: with its parent it ends, and of descriptors it has as many as it may have."""

from __future__ import annotations

import os
import signal
import sys
from ctypes import c_int, c_ulong

from nodes.engines.common import libc

_PR_SET_PDEATHSIG = 1


def settle() -> None:
    """Also as a child of who ignores Ctrl-C: probes are ended by their parent, at once."""
    end_with(os.getppid())
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    allow()


def end_with(parent: int) -> None:
    """This process ends with its parent, which is that one (prctl(2), PR_SET_PDEATHSIG)."""
    if sys.platform != "linux":
        return
    libc.function("prctl", c_int, c_ulong)(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it ended meanwhile
        os._exit(1)


def allow() -> None:
    """RLIMIT_NOFILE goes up to its hard limit."""
    try:
        import resource  # not every system has it
    except ImportError:
        return
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
