"""What a probe of blocking calls works with: a call in this thread, and what another does while it blocks."""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable

from nodes.probes.common.bench import Common, error_name
from nodes.probes.common.meanwhile import during

Call = Callable[[], bytes | int | None]
NOTHING = "nothing"
"""It goes on to block."""


class BlockingBench(Common):
    """Calls block as in the engine: by the socket's own mode, not by Python's settimeout, which polls."""

    def ends(self) -> tuple[socket.socket, socket.socket]:
        """A pair whose first end blocks."""
        ours, theirs = self.pair()
        ours.setblocking(True)
        return ours, theirs

    def gives(self, step: str, call: Call, name: str = "receive") -> None:
        self.saw(step, attempt(call, name))

    def meanwhile(
        self,
        step: str,
        call: Call,
        act: Callable[[], object],
        end: Callable[[], object] = lambda: None,
        name: str = "receive",
    ) -> str:
        """`act` comes while the call blocks: what it gives, or nothing. Then `end` ends it; -> what it gave."""
        result, ended = during(self, lambda: attempt(call, name), step, act, end)
        self.saw(step, result if ended else NOTHING)
        return result


def attempt(call: Call, name: str) -> str:
    """As a ring tells of its requests; bytes by their count."""
    try:
        result = call()
    except OSError as error:
        return f"{name}: {error_name(error)}"
    if result is None:
        return f"{name}: done"
    return f"{name}: {result if isinstance(result, int) else len(result)} bytes"


def limit(sock: socket.socket, microseconds: int) -> None:
    """SO_RCVTIMEO, as the engine sets a deadline."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("@ll", *divmod(microseconds, 1_000_000)))
