"""PURE: accepting connections where descriptors or memory may run out: that passes, so a listener waits and stays.

accept(2) leaves the connection in the backlog then, and says so again at once: who tried again without a pause would do
nothing else, and who gave up would be deaf for ever.
"""

from __future__ import annotations

import errno

from nodes.ops import Accept, Now, Program, Sleep, Socket
from nodes.samples import Tally

EXHAUSTED = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
"""What accept(2) fails with where the process or the system has no room for another connection."""
PAUSE = 100_000_000
"""Nanoseconds before the next attempt: seldom enough to cost nothing, soon enough for a handshake's patience."""


ACCEPTS_ON = "accepts-on"
"""The variant of a server that does not wait, but tries again at once."""


def accept(listener: Socket, tally: Tally | None = None, *, accepts_on: bool = False) -> Program:
    """-> the next connection, once there is room for it; each attempt that found none is told to `tally`. Raises
    OSError: the listener was closed. `accepts_on`: it is that variant's."""
    while True:
        try:
            return (yield Accept(listener))
        except OSError as error:
            if error.errno not in EXHAUSTED:
                raise
            if tally is not None:
                tally.refused += 1
        if not accepts_on:
            yield Sleep((yield Now()) + PAUSE)
