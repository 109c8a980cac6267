"""io_uring (io_uring(7), Linux): one call hands over all requests since the last one, and waits for results."""

from __future__ import annotations

import errno
import os
import struct
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from nodes import ops
from nodes.engines.common import sockaddr
from nodes.engines.common.completion import Driver, Request
from nodes.engines.common.offer import Offer
from nodes.engines.common.uring import BUFFER_SELECT, NEEDS, PICKED, Ring, address_of, submission

_ENTRIES = 1024
_BUFFERS = 64  # they are used in turn: few stay in the processor's caches
_BUFFER_SIZE = 65536 + 1088
"""A datagram fits; memory is touched when a buffer is used. Were they a power of two apart, all would want the same few
lines of those caches."""

_RECVMSG, _ACCEPT, _ASYNC_CANCEL, _CONNECT, _SEND, _RECV = 10, 13, 14, 16, 26, 27
_POLL_FIRST = 1  # IORING_RECVSEND_POLL_FIRST: a receive is asked for before its data, a send where there was no room
_WHOLE = 0x4100  # MSG_NOSIGNAL | MSG_WAITALL: a send goes on until all of it is sent
_AT_ONCE = 0x40  # MSG_DONTWAIT
_CLOEXEC = 0x80000
_NEVER = 1 << 31  # no result is that
_NOBODY = 0  # the token of requests whose own completion nobody waits for
_BYTES_AT = bytes.__basicsize__ - 1  # where CPython keeps what a bytes object holds

_MSGHDR = struct.Struct("@PI4xPNPNi4x")
_IOVEC = struct.Struct("@PN")
_LENGTH = struct.Struct("=I")
_LENGTH_AT = 8  # of a message's name
_IOVEC_AT, _NAME_AT = 64, 80
_DATA_AT = _NAME_AT + sockaddr.SIZE
_PLACE = struct.Struct("=QI")
_PLACE_AT = 16  # of a submission's address and length

_SYSCTL = Path("/proc/sys/kernel/io_uring_disabled")
"""Since Linux 6.6: 0 for nobody, 1 for all but io_uring_group, 2 for all."""


def availability() -> str | None:
    if sys.platform != "linux" or sys.implementation.name != "cpython":
        return f"{sys.implementation.name} on {sys.platform} has no io_uring"
    try:
        Ring(1, 1, 4096).close()
    except OSError as error:
        return reason(error)
    return None


def reason(error: OSError) -> str:
    """Why io_uring_setup(2) failed."""
    release = os.uname().release
    match error.errno:
        case errno.ENOSYS:
            return f"Linux {release} has no io_uring"
        case errno.EPERM | errno.EACCES:
            return f"io_uring_setup is forbidden here, {_by_whom()}"
        case errno.EINVAL:
            return f"Linux {release} lacks flags of io_uring; it takes {NEEDS} or newer"
    return f"io_uring_setup: {error.strerror}"


def _by_whom() -> str:
    """And what to do."""
    try:
        setting = _SYSCTL.read_text("ascii").strip()
    except OSError:
        setting = "0"
    if setting == "0":
        return "by a seccomp profile, as Docker's default one does: give it another (docs/engines.md)"
    return f"kernel.io_uring_disabled is {setting}: sysctl kernel.io_uring_disabled=0 allows it, as root"


class UringPort:
    """A ring, and the requests of open sockets, by their tokens."""

    at_once = _AT_ONCE

    def __init__(self) -> None:
        self._ring = Ring(_ENTRIES, _BUFFERS, _BUFFER_SIZE)
        self._push = self._ring.pushed.append
        self._returned = _BUFFERS
        self._requests: dict[int, Request] = {}
        self.flush = self._ring.flush
        self.close = self._ring.close

    # --- asking ---

    def _ask(self, request: Request, plan: bytes | bytearray) -> None:
        request.busy = True
        self._requests[request.token] = request
        self._push(plan)

    def receive(self, request: Request, size: int) -> None:
        if request.size != size:
            self._requests[request.token] = request
            request.size, request.whole, request.take = size, _NEVER, _end_of_file
            request.plan = submission(_RECV, request.fd, 0, size, request.token, **_selected(size))
            if request.bounded and size > _BUFFER_SIZE:
                self._receive_whole(request, size)
        request.busy = True
        self._push(request.plan)

    @staticmethod
    def _receive_whole(request: Request, size: int) -> None:
        """A message would be cut to a buffer of the ring's."""
        request.keep, request.take = bytearray(size), _of_its_own
        at = address_of(request.keep)
        request.plan = submission(_RECV, request.fd, at, size, request.token, hint=_POLL_FIRST)

    def send(self, request: Request, data: bytes) -> None:
        """Its submission is made once, and then told where the data lies: it is pushed again when it came back."""
        if not request.plan:
            self._requests[request.token] = request
            how = {"options": _WHOLE, "hint": _POLL_FIRST}
            request.plan = bytearray(submission(_SEND, request.fd, 0, 0, request.token, **how))
        if data.__class__ is not bytes:
            raise TypeError("what other objects hold lies elsewhere")
        request.busy, request.keep = True, data
        size = request.whole = len(data)
        _PLACE.pack_into(request.plan, _PLACE_AT, id(data) + _BYTES_AT, size)
        self._push(request.plan)

    def accept(self, request: Request) -> None:
        name = request.keep = bytearray(sockaddr.SIZE + _LENGTH.size)
        _LENGTH.pack_into(name, sockaddr.SIZE, sockaddr.SIZE)
        at = address_of(name)
        request.whole, request.take = _NEVER, _accepted
        length_at = at + sockaddr.SIZE
        self._ask(request, submission(_ACCEPT, request.fd, at, 0, request.token, offset=length_at, options=_CLOEXEC))

    def connect(self, request: Request, address: ops.Address) -> None:
        name = request.keep = bytearray(sockaddr.encode(address))
        request.whole = 0
        self._ask(request, submission(_CONNECT, request.fd, address_of(name), 0, request.token, offset=len(name)))

    def receive_from(self, request: Request, size: int) -> None:
        if request.size != size:
            own = size > _BUFFER_SIZE
            message = request.keep = _message(size, own)
            request.size, request.whole, request.picked = size, _NEVER, _received_from
            request.take = _whole_from if own else _empty
            how = _selected(0 if own else size)
            request.plan = submission(_RECVMSG, request.fd, address_of(message), 1, request.token, **how)
        _LENGTH.pack_into(request.keep, _LENGTH_AT, sockaddr.SIZE)
        self._ask(request, request.plan)

    def cancel(self, request: Request) -> None:
        self._push(submission(_ASYNC_CANCEL, -1, request.token, 0, _NOBODY))

    def forget(self, request: Request) -> None:
        self._requests.pop(request.token, None)

    # --- what is done ---

    def wait(self, timeout_ns: int | None) -> Iterable[tuple[Request, Any]]:
        done: list[tuple[Request, Any]] = []
        requests, memory, returned = self._requests, self._ring.memory, self._returned
        for token, result, flags in self._ring.wait(timeout_ns):
            if token == _NOBODY:  # a cancellation
                continue
            request = requests[token]
            request.busy = False
            if flags & PICKED:
                number = flags >> 16
                start = number * _BUFFER_SIZE
                outcome: Any = memory[start : start + result]
                if number != returned & (_BUFFERS - 1):
                    self._ring.refill(returned & (_BUFFERS - 1), number)
                returned += 1
                if request.picked is not None:
                    outcome = request.picked(request, outcome)
            elif result == request.whole:
                outcome = None
            elif result == -errno.ENOBUFS and request.whole == _NEVER:  # all are full; those before this one come back
                self._ask(request, request.plan)
                continue
            elif result < 0:
                outcome = OSError(-result, os.strerror(-result))
            else:
                outcome = result if request.take is None else request.take(request, result)
            done.append((request, outcome))
        if returned != self._returned:
            self._returned = returned
            self._ring.give_back(returned)
        return done


def _selected(size: int) -> dict[str, int]:
    """How a receive has its buffer: for none at all the kernel would fill a whole one."""
    return {"flags": BUFFER_SELECT if size else 0, "hint": _POLL_FIRST}


def _end_of_file(_request: Request, _result: int) -> bytes:
    return b""


def _accepted(request: Request, result: int) -> tuple[int, ops.Address]:
    return result, _name(request.keep, 0, sockaddr.SIZE)


def _of_its_own(request: Request, result: int) -> bytes:
    return bytes(memoryview(request.keep)[:result])


def _received_from(request: Request, data: bytes) -> tuple[bytes, ops.Address]:
    return data, _name(request.keep, _NAME_AT, _LENGTH_AT)


def _whole_from(request: Request, result: int) -> tuple[bytes, ops.Address]:
    return _received_from(request, bytes(memoryview(request.keep)[_DATA_AT : _DATA_AT + result]))


def _empty(request: Request, _result: int) -> tuple[bytes, ops.Address]:
    """No buffer is picked for a datagram of no bytes."""
    return _received_from(request, b"")


def _name(memory: bytearray, at: int, length_at: int) -> ops.Address:
    """What the kernel wrote, as long as it said."""
    (length,) = _LENGTH.unpack_from(memory, length_at)
    return sockaddr.decode(bytes(memory[at : at + length]))


def _message(size: int, own: bool) -> bytearray:
    """A struct msghdr (recvmsg(2)) with one struct iovec, and room for the name that it points to; then, if it is to be
    its `own`, for the data."""
    message = bytearray(_DATA_AT + (size if own else 0))
    at = address_of(message)
    _MSGHDR.pack_into(message, 0, at + _NAME_AT, sockaddr.SIZE, at + _IOVEC_AT, 1, 0, 0, 0)
    _IOVEC.pack_into(message, _IOVEC_AT, at + _DATA_AT if own else 0, size)
    return message


class Engine(Driver):
    """One thread, one ring."""

    offer = Offer(everywhere=False)
    port = UringPort
