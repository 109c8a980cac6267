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
    if sys.platform == "linux":
        libc.function("prctl", c_int, c_ulong)(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() == 1:  # it ended meanwhile
            os._exit(1)
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    allow()


def allow() -> None:
    """RLIMIT_NOFILE goes up to its hard limit."""
    try:
        import resource  # not every system has it
    except ImportError:
        return
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
