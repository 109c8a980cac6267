"""What a probe of completions works with: a ring with the engine's own flags, requests that have names, and sockets.

A request's buffer belongs to the kernel until its completion came, and a ring that is closed may still end what it was
at: buffers are kept for as long as the process lives.
"""

from __future__ import annotations

import errno
import socket
from collections.abc import Callable
from typing import NamedTuple

from nodes.engines.common import sockaddr
from nodes.ops import Address
from nodes.probes.common.bench import Common
from nodes.probes.common.masks import names
from nodes.probes.common.probe import PATIENCE_NS
from nodes.probes.common.trace import Trace

_POLL_ADD, _ACCEPT, _ASYNC_CANCEL, _CONNECT, _SEND, _RECV = 6, 13, 14, 16, 26, 27
_MULTISHOT = 1  # IORING_POLL_ADD_MULTI
_NO_SIGNAL, WAIT_ALL = 0x4000, 0x100
POLL_FIRST = 1  # IORING_RECVSEND_POLL_FIRST: a hint to wait for data before it is tried


_KEPT: list[bytearray] = []


class _Asked(NamedTuple):
    name: str
    said: Callable[[int], str]


class RingBench(Common):
    """Requests are handed over with the next wait; what is asked of a ring that waits already comes too late."""

    def __init__(self, trace: Trace) -> None:
        from nodes.engines.common.uring import Ring, address_of, submission  # what only Linux can import

        super().__init__(trace)
        self.ring = Ring(64, 8, 4096)
        self._at, self._submission = address_of, submission
        self.accepted: list[int] = []
        self._asked: dict[int, _Asked] = {}
        self._next = 1

    # --- asking ---

    def receive(self, fd: int, count: int, name: str = "receive", hint: int = 0) -> int:
        """-> the request's token."""
        room = _kept(bytearray(max(count, 1)))
        self.note(f"a {name} of {count} bytes is asked for")
        return self._ask(_RECV, fd, self._at(room), count, _Asked(name, _bytes), hint=hint)

    def transmit(self, fd: int, count: int, flags: int = 0, name: str = "send") -> int:
        data = _kept(bytearray(count))
        self.note(f"a {name} of {count} bytes is asked for")
        asked = _Asked(name, lambda result: "all of it" if result == count else "part of it")
        return self._ask(_SEND, fd, self._at(data), count, asked, options=flags | _NO_SIGNAL)

    def poll(self, fd: int, bits: int, multishot: bool = False) -> int:
        name = "multishot poll" if multishot else "poll"
        self.note(f"a {name} for {' '.join(names(bits))} is asked for")
        asked = _Asked(name, lambda result: " ".join(names(result)))
        return self._ask(_POLL_ADD, fd, 0, _MULTISHOT if multishot else 0, asked, options=bits)

    def accept(self, fd: int) -> int:
        self.note("an accept is asked for")
        return self._ask(_ACCEPT, fd, 0, 0, _Asked("accept", self._accept))

    def connect(self, fd: int, address: Address) -> int:
        name = _kept(bytearray(sockaddr.encode(address)))
        self.note("a connect is asked for")
        return self._ask(_CONNECT, fd, self._at(name), 0, _Asked("connect", _done), offset=len(name))

    def cancel(self, token: int) -> int:
        self.note("that is cancelled")
        return self._ask(_ASYNC_CANCEL, -1, token, 0, _Asked("cancel", _done))

    def _ask(self, opcode: int, fd: int, address: int, length: int, asked: _Asked, **more: int) -> int:
        token, self._next = self._next, self._next + 1
        self._asked[token] = asked
        self.ring.pushed.append(self._submission(opcode, fd, address, length, token, **more))
        return token

    def _accept(self, result: int) -> str:
        self.accepted.append(self.sockets.kept(socket.socket(fileno=result)).fileno())
        return "done"

    # --- what is complete ---

    def handed(self) -> None:
        """What was asked is with the kernel, and nothing of it complete."""
        if found := self.waited(0):
            raise AssertionError(f"complete at once: {', '.join(found)}")

    def completed(self, step: str, patience_ns: int = PATIENCE_NS) -> None:
        """All that completes until nothing more does."""
        found: list[str] = []
        while more := self.waited(patience_ns):
            found += more
        self.saw(step, ", ".join(found) or "nothing")

    def waited(self, patience_ns: int) -> list[str]:
        """One wait."""
        return [self._said(token, result) for token, result, _ in self.ring.wait(patience_ns)]

    def _said(self, token: int, result: int) -> str:
        asked = self._asked[token]
        told = errno.errorcode.get(-result, str(result)) if result < 0 else asked.said(result)
        return f"{asked.name}: {told}"

    def close(self) -> None:
        self.ring.close()
        super().close()


def _kept(memory: bytearray) -> bytearray:
    _KEPT.append(memory)
    return memory


def _bytes(result: int) -> str:
    return f"{result} bytes"


def _done(_result: int) -> str:
    return "done"
