"""A blocking socket with kernel deadlines, that several threads may share."""

from __future__ import annotations

import socket
import struct
import threading
from time import monotonic_ns

from nodes import ops
from nodes.engines.common.endpoint import Endpoint

NEVER = 0  # a timeout of zero in SO_RCVTIMEO and SO_SNDTIMEO means none
_UNKNOWN = -1  # an accepted socket inherits its listener's timeouts


def timed_out() -> TimeoutError:
    return TimeoutError("the operation's deadline has passed")


class BlockingEndpoint(Endpoint):
    """`busy` counts the threads inside a system call on it; timeouts are microseconds.

    `outstanding`: SO_RCVTIMEO while a receive is, SO_SNDTIMEO while a send is.
    """

    __slots__ = ("busy", "idle", "outstanding", "timeouts")

    def __init__(self, raw: socket.socket, lock: threading.Lock, local: ops.Address, peer: ops.Address | None) -> None:
        super().__init__(raw, local, peer)
        self.busy = 0
        self.outstanding: set[int] = set()
        self.idle = threading.Condition(lock)
        self.timeouts = {socket.SO_RCVTIMEO: _UNKNOWN, socket.SO_SNDTIMEO: _UNKNOWN}

    def limit(self, option: int, deadline: int | None, longest: int = NEVER) -> None:
        """Let the next call end at `deadline`, or, when that has passed, as soon as the kernel can; after `longest`
        microseconds in any case."""
        microseconds = longest
        if deadline is not None:
            left = max(1, -((monotonic_ns() - deadline) // 1000))
            microseconds = min(left, longest) if longest else left
        if self.timeouts[option] != microseconds:
            self.timeouts[option] = microseconds
            self.raw.setsockopt(socket.SOL_SOCKET, option, struct.pack("@ll", *divmod(microseconds, 1_000_000)))

    def shut(self) -> None:
        """Wake whoever is inside a system call. ENOTCONN of a datagram socket or a listener does not matter."""
        try:
            self.raw.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
