"""A System V message queue (sysvipc(7)), through the C library: the kernel keeps messages under a number."""

from __future__ import annotations

import ctypes
import errno
import hashlib
from ctypes import POINTER, byref, c_int, c_long, c_size_t, c_ssize_t, c_void_p
from typing import Any

from nodes.ipc.common import queues
from nodes.ipc.common.channel import Declared, End, Role, checked
from nodes.ipc.common.errors import (
    BrokenPipe,
    ChannelError,
    Empty,
    EndOfFile,
    Full,
    Leftover,
    NoSuchChannel,
    SystemLimit,
)
from nodes.ipc.common.queues import function, limit

_PROC = "/proc/sys/kernel"
_LARGEST, _QUEUE, _QUEUES = f"{_PROC}/msgmax", f"{_PROC}/msgmnb", f"{_PROC}/msgmni"
_CREATE, _EXCLUSIVE, _NO_WAIT, _REMOVE = 0o1000, 0o2000, 0o4000, 0
_TYPE = 1

DECLARED = Declared(
    boundaries=True,
    largest=f"{_LARGEST} (8 KiB)",
    capacity=f"{_QUEUE} (16 KiB)",
    kernel=True,
    stays="a queue in the kernel, with its messages (ipcs -q)",
)


def availability() -> str | None:
    if absent := queues.missing("msgget", "msgsnd", "msgrcv", "msgctl"):
        return absent
    if not limit(_LARGEST, 0):
        return f"no System V message queues in this kernel ({_LARGEST})"
    return None


def key(name: str) -> int:
    """The number that stands for a name: 31 bits of a hash, not 0, which would be a private queue (msgget(2))."""
    return int.from_bytes(hashlib.blake2b(checked(name).encode(), digest_size=4).digest(), "big") >> 1 or 1


def create(name: str, role: Role) -> End:
    try:
        queue = _get(name, _CREATE | _EXCLUSIVE | 0o600)
    except FileExistsError as error:
        raise Leftover(
            f"sysv_mq {name}: a queue is there already, of a channel in use or of a run that ended; remove it: "
            f"ipcrm -Q {key(name):#x}"
        ) from error
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.ENOMEM):
            raise
        raise SystemLimit(f"sysv_mq {name}: {error.strerror}; {queues.told(_QUEUES)}") from error
    return _end(name, queue, role)


def attach(address: str, role: Role) -> End:
    try:
        return _end(address, _get(address, 0), role)
    except FileNotFoundError as error:
        raise NoSuchChannel(f"sysv_mq {address}: there is no such queue, {key(address):#x}") from error


def _get(name: str, flags: int) -> int:
    return function("msgget", c_int, c_int, c_int)(key(name), flags)


def _end(name: str, queue: int, role: Role) -> End:
    return _Sender(name, queue) if role is Role.SENDER else _Receiver(name, queue)


class _Queue(End):
    """A message begins with its type, a long, which is 1."""

    def __init__(self, name: str, queue: int) -> None:
        self.address, self.largest = name, min(limit(_LARGEST, 8192), limit(_QUEUE, 16384))
        self._queue = queue
        self._closed = False
        self._buffer: Any = (ctypes.c_char * (ctypes.sizeof(c_long) + self.largest))()
        self._view = memoryview(self._buffer).cast("B")
        c_long.from_buffer(self._buffer).value = _TYPE
        self._place = self._view[ctypes.sizeof(c_long) :]

    def close(self) -> None:
        """The kernel does not know who uses a queue."""
        self._closed = True

    def unlink(self) -> None:
        """Who waits at it is told at once that it is gone."""
        try:
            function("msgctl", c_int, c_int, c_int, c_void_p)(self._queue, _REMOVE, None)
        except OSError as error:
            if error.errno not in (errno.EIDRM, errno.EINVAL):
                raise

    def _check(self) -> None:
        if self._closed:
            raise ChannelError(f"{self.address}: this end is closed")


class _Sender(_Queue):
    def __init__(self, name: str, queue: int) -> None:
        super().__init__(name, queue)
        self._call = function("msgsnd", c_int, c_int, POINTER(type(self._buffer)), c_size_t, c_int)

    def send(self, message: bytes, block: bool = True) -> None:
        self._check()
        self._fits(message)
        self._place[: len(message)] = message
        try:
            self._call(self._queue, byref(self._buffer), len(message), 0 if block else _NO_WAIT)
        except BlockingIOError as error:
            raise Full(f"{self.address}: no room for {len(message)} bytes; {queues.told(_QUEUE)}") from error
        except OSError as error:
            if error.errno not in (errno.EIDRM, errno.EINVAL):
                raise
            raise BrokenPipe(f"{self.address}: the queue was removed") from error


class _Receiver(_Queue):
    def __init__(self, name: str, queue: int) -> None:
        super().__init__(name, queue)
        kind = POINTER(type(self._buffer))
        self._call = function("msgrcv", c_ssize_t, c_int, kind, c_size_t, c_long, c_int)

    def receive(self, block: bool = True) -> bytes:
        self._check()
        try:
            size = self._call(self._queue, byref(self._buffer), self.largest, 0, 0 if block else _NO_WAIT)
        except OSError as error:
            if error.errno == errno.ENOMSG:
                raise Empty(f"{self.address}: no message") from error
            if error.errno not in (errno.EIDRM, errno.EINVAL):
                raise
            raise EndOfFile(f"{self.address}: the queue was removed") from error
        return bytes(self._place[:size])
