"""What a probe of blocking calls works with: a call in this thread, and what another does while it blocks."""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable

from nodes.probes.common.bench import Common, error_name
from nodes.probes.common.meanwhile import during

GOES_ON = "goes on"


class BlockingBench(Common):
    """Calls block as in the engine: by the socket's own mode, not by Python's settimeout, which polls."""

    def ends(self) -> tuple[socket.socket, socket.socket]:
        """A pair whose first end blocks."""
        ours, theirs = self.pair()
        ours.setblocking(True)
        return ours, theirs

    def gives(self, step: str, call: Callable[[], bytes | int | None]) -> None:
        self.saw(step, attempt(call))

    def meanwhile(
        self,
        step: str,
        call: Callable[[], bytes | int | None],
        act: Callable[[], object],
        end: Callable[[], object] = lambda: None,
    ) -> str:
        """`act` comes while the call blocks: what it gives, or that it goes on. Then `end` ends it; -> what it gave."""
        result, ended = during(self, lambda: attempt(call), step, act, end)
        self.saw(step, result if ended else GOES_ON)
        return result


def attempt(call: Callable[[], bytes | int | None]) -> str:
    """Bytes are told by their count."""
    try:
        result = call()
    except OSError as error:
        return error_name(error)
    if result is None:
        return "done"
    return f"{result if isinstance(result, int) else len(result)} bytes"


def limit(sock: socket.socket, microseconds: int) -> None:
    """SO_RCVTIMEO, as the engine sets a deadline."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("@ll", *divmod(microseconds, 1_000_000)))
