"""io_uring (io_uring(7), Linux): requests go to the kernel in batches; the call that hands them over waits for results."""

from __future__ import annotations

import errno
import os
import struct
import sys
from collections.abc import Callable, Iterable
from typing import Any

from nodes import ops
from nodes.engines.common import sockaddr
from nodes.engines.common.completion import Driver, Request
from nodes.engines.common.loop import PENDING
from nodes.engines.common.uring import BUFFER_SELECT, NEEDS, PICKED, Ring, address_of
from nodes.ops import Transaction

_ENTRIES = 1024
_BUFFERS, _BUFFER_SIZE = 256, 65536  # a datagram fits; memory is touched when a buffer is used

_SENDMSG, _RECVMSG, _ACCEPT, _ASYNC_CANCEL, _CONNECT, _SEND, _RECV = 9, 10, 13, 14, 16, 26, 27
_POLL_FIRST = 1  # IORING_RECVSEND_POLL_FIRST: a receive is nearly always asked for before its data came
_WHOLE = 0x4100  # MSG_NOSIGNAL | MSG_WAITALL: a send goes on until all of it is sent
_CLOEXEC = 0x80000
_CANCELS = 0  # the token of requests whose own completion nobody waits for
_BYTES_AT = bytes.__basicsize__ - 1  # where CPython keeps what a bytes object holds

_MSGHDR = struct.Struct("@PI4xPNPNi4x")
_IOVEC = struct.Struct("@PN")
_IOVEC_AT, _NAME_AT = 64, 80
_LENGTH = struct.Struct("=I")

Take = Callable[[Request, int, int], Any]


def availability() -> str | None:
    if sys.platform != "linux" or sys.implementation.name != "cpython":
        return f"{sys.implementation.name} on {sys.platform} has no io_uring"
    try:
        Ring(1, 1, 4096).close()
    except OSError as error:
        return _reason(error)
    return None


def _reason(error: OSError) -> str:
    release = os.uname().release
    match error.errno:
        case errno.ENOSYS:
            return f"Linux {release} has no io_uring"
        case errno.EPERM | errno.EACCES:
            return (
                "io_uring_setup is forbidden here, by a seccomp profile (Docker's default one does) or by the sysctl "
                "kernel.io_uring_disabled"
            )
        case errno.EINVAL:
            return f"Linux {release} lacks flags of io_uring; it takes {NEEDS} or newer"
    return f"io_uring_setup: {error.strerror}"


class UringPort:
    """A ring, and the requests that it is busy with, by their tokens."""

    def __init__(self) -> None:
        self._ring = Ring(_ENTRIES, _BUFFERS, _BUFFER_SIZE)
        self.flush = self._ring.flush
        self.close = self._ring.close
        self._busy: dict[int, Request] = {}

    def _ask(self, request: Request, take: Take, keep: Any) -> int:
        """What its completion becomes, and what must stay until then; the token."""
        request.busy, request.take, request.keep = True, take, keep
        token = id(request)
        self._busy[token] = request
        return token

    def wait(self, timeout_ns: int | None) -> Iterable[tuple[Request, Any]]:
        self._ring.wait(timeout_ns)
        done: list[tuple[Request, Any]] = []
        busy = self._busy
        for token, result, flags in self._ring.completions():
            request = busy.pop(token, None)
            if request is None:  # of a cancellation
                continue
            request.busy = False
            outcome = request.take(request, result, flags)
            if outcome is not PENDING:
                done.append((request, outcome))
        return done

    def cancel(self, request: Request) -> None:
        self._ring.push(_ASYNC_CANCEL, -1, id(request), 0, _CANCELS)

    def receive(self, request: Request, fd: int, size: int) -> None:
        token = self._ask(request, self._received, (fd, size))
        self._ring.push(_RECV, fd, 0, size, token, flags=BUFFER_SELECT, hint=_POLL_FIRST)

    def _received(self, request: Request, result: int, flags: int) -> Any:
        if flags & PICKED:
            return self._ring.take(flags, result)
        if result == -errno.ENOBUFS:  # all buffers are full at once; those before this one give theirs back
            self.receive(request, *request.keep)
            return PENDING
        return b"" if result == 0 else _failure(result)

    def send(self, request: Request, fd: int, data: bytes) -> None:
        self._ring.push(_SEND, fd, id(data) + _BYTES_AT, len(data), self._ask(request, _number, data), options=_WHOLE)

    def accept(self, request: Request, fd: int) -> None:
        name = bytearray(sockaddr.SIZE + _LENGTH.size)
        _LENGTH.pack_into(name, sockaddr.SIZE, sockaddr.SIZE)
        at = address_of(name)
        token = self._ask(request, _accepted, name)
        self._ring.push(_ACCEPT, fd, at, 0, token, offset=at + sockaddr.SIZE, options=_CLOEXEC)

    def connect(self, request: Request, fd: int, address: ops.Address) -> None:
        name = bytearray(sockaddr.encode(address))
        self._ring.push(_CONNECT, fd, address_of(name), 0, self._ask(request, _number, name), offset=len(name))

    def receive_from(self, request: Request, fd: int, size: int) -> None:
        message = _message(bytes(sockaddr.SIZE), 0, size)
        token = self._ask(request, self._received_from, (fd, size, message))
        self._ring.push(_RECVMSG, fd, address_of(message), 1, token, flags=BUFFER_SELECT, hint=_POLL_FIRST)

    def _received_from(self, request: Request, result: int, flags: int) -> Any:
        fd, size, message = request.keep
        if result >= 0:  # no buffer is picked for an empty datagram
            data = self._ring.take(flags, result) if flags & PICKED else b""
            return data, sockaddr.decode(message[_NAME_AT:])
        if result == -errno.ENOBUFS:
            self.receive_from(request, fd, size)
            return PENDING
        return _failure(result)

    def send_to(self, request: Request, fd: int, data: bytes, address: ops.Address) -> None:
        message = _message(sockaddr.encode(address), id(data) + _BYTES_AT, len(data))
        token = self._ask(request, _number, (data, message))
        self._ring.push(_SENDMSG, fd, address_of(message), 1, token)


def _message(name: bytes, data_at: int, length: int) -> bytearray:
    """A struct msghdr (recvmsg(2)) with one struct iovec, and the name that it points to."""
    message = bytearray(_NAME_AT + len(name))
    at = address_of(message)
    _MSGHDR.pack_into(message, 0, at + _NAME_AT, len(name), at + _IOVEC_AT, 1, 0, 0, 0)
    _IOVEC.pack_into(message, _IOVEC_AT, data_at, length)
    message[_NAME_AT:] = name
    return message


def _failure(result: int) -> OSError:
    return OSError(-result, os.strerror(-result))


def _number(_request: Request, result: int, _flags: int) -> int | OSError:
    return result if result >= 0 else _failure(result)


def _accepted(request: Request, result: int, _flags: int) -> tuple[int, ops.Address] | OSError:
    return (result, sockaddr.decode(request.keep)) if result >= 0 else _failure(result)


class Engine(Driver):
    """One thread, one ring."""

    def __init__(self, commit: Callable[[Transaction], int], random: Callable[[], float]) -> None:
        super().__init__(UringPort, commit, random)
