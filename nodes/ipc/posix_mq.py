"""A POSIX message queue (mq_overview(7)), through the C library: the kernel keeps a few messages under a name."""

from __future__ import annotations

import ctypes
import errno
import os
from collections.abc import Callable
from ctypes import POINTER, byref, c_char_p, c_int, c_long, c_size_t, c_ssize_t, c_uint, c_void_p
from typing import Any

from nodes.ipc.common import queues
from nodes.ipc.common.channel import Declared, End, Role, checked
from nodes.ipc.common.errors import ChannelError, Empty, Full, Leftover, NoSuchChannel, SystemLimit
from nodes.ipc.common.queues import function, limit

_PROC = "/proc/sys/fs/mqueue"
_MESSAGES, _BYTES, _QUEUES = f"{_PROC}/msg_max", f"{_PROC}/msgsize_max", f"{_PROC}/queues_max"

DECLARED = Declared(
    boundaries=True,
    largest=f"{_BYTES} (8 KiB)",
    capacity=f"{_MESSAGES} (10 messages)",
    kernel=True,
    stays="a queue in the kernel, with its messages (/dev/mqueue)",
)


class _Attributes(ctypes.Structure):
    """struct mq_attr, mq_getattr(3)."""

    _fields_ = (("flags", c_long), ("messages", c_long), ("bytes", c_long), ("current", c_long), ("more", c_long * 4))


class _Timespec(ctypes.Structure):
    _fields_ = (("seconds", c_long), ("nanoseconds", c_long))


_PAST = byref(_Timespec(0, 0))
"""A deadline that has passed: who would have to wait is told so at once (mq_send(3))."""


def availability() -> str | None:
    return queues.missing("mq_open", "mq_timedsend", "mq_timedreceive", "mq_unlink", "mq_getattr") or (
        None if os.path.isdir(_PROC) else f"no POSIX message queues in this kernel ({_PROC})"
    )


def create(name: str, role: Role) -> End:
    attributes = _Attributes(messages=limit(_MESSAGES, 10), bytes=limit(_BYTES, 8192))
    try:
        descriptor = _open(name, os.O_CREAT | os.O_EXCL, role, attributes)
    except FileExistsError as error:
        raise _leftover(name) from error
    except OSError as error:
        if error.errno not in (errno.EMFILE, errno.ENOSPC, errno.EINVAL, errno.ENOMEM):
            raise
        raise SystemLimit(f"posix_mq {name}: {error.strerror}; {_limits()}") from error
    return _end(name, descriptor, role)


def attach(address: str, role: Role) -> End:
    try:
        return _end(address, _open(address, 0, role, None), role)
    except FileNotFoundError as error:
        raise NoSuchChannel(f"posix_mq {address}: there is no such queue") from error


def _open(name: str, flags: int, role: Role, attributes: _Attributes | None) -> int:
    """Closed on exec: Linux does that by itself (mq_open(3))."""
    call = _variadic()
    mode = os.O_RDONLY if role is Role.RECEIVER else os.O_WRONLY
    return call(_path(name), flags | mode, 0o600, None if attributes is None else byref(attributes))


def _variadic() -> Callable[..., int]:
    return function("mq_open", c_int, c_char_p, c_int, c_uint, POINTER(_Attributes))


def _path(name: str) -> bytes:
    return f"/{checked(name)}".encode()


def _leftover(name: str) -> Leftover:
    file = f"/dev/mqueue{_path(name).decode()}"
    return Leftover(
        f"posix_mq {name}: a queue is there already, of a channel in use or of a run that ended; remove it: rm {file} "
        "(mount -t mqueue none /dev/mqueue, if nothing is there)"
    )


def _limits() -> str:
    import resource

    room, _ = resource.getrlimit(resource.RLIMIT_MSGQUEUE) if hasattr(resource, "RLIMIT_MSGQUEUE") else (-1, -1)
    return f"{queues.told(_MESSAGES, _BYTES, _QUEUES)}, RLIMIT_MSGQUEUE is {room} bytes for all of a user's queues"


def _end(name: str, descriptor: int, role: Role) -> End:
    return _Sender(name, descriptor) if role is Role.SENDER else _Receiver(name, descriptor)


class _Queue(End):
    def __init__(self, name: str, descriptor: int) -> None:
        attributes = _Attributes()
        function("mq_getattr", c_int, c_int, POINTER(_Attributes))(descriptor, byref(attributes))
        self.address, self.largest = name, attributes.bytes
        self._descriptor = descriptor

    def close(self) -> None:
        if self._descriptor >= 0:
            function("mq_close", c_int, c_int)(self._descriptor)
            self._descriptor = -1

    def unlink(self) -> None:
        try:
            function("mq_unlink", c_int, c_char_p)(_path(self.address))
        except FileNotFoundError:
            pass

    def _check(self) -> None:
        if self._descriptor < 0:
            raise ChannelError(f"{self.address}: this end is closed")


class _Sender(_Queue):
    def __init__(self, name: str, descriptor: int) -> None:
        super().__init__(name, descriptor)
        self._call = function("mq_timedsend", c_int, c_int, c_char_p, c_size_t, c_uint, POINTER(_Timespec))

    def send(self, message: bytes, block: bool = True) -> None:
        self._check()
        self._fits(message)
        try:
            self._call(self._descriptor, bytes(message), len(message), 0, None if block else _PAST)
        except TimeoutError as error:
            raise Full(f"{self.address}: no room for a further message") from error


class _Receiver(_Queue):
    def __init__(self, name: str, descriptor: int) -> None:
        super().__init__(name, descriptor)
        self._buffer: Any = (ctypes.c_char * self.largest)()
        self._view = memoryview(self._buffer).cast("B")
        kind = POINTER(ctypes.c_char * self.largest)
        self._call = function("mq_timedreceive", c_ssize_t, c_int, kind, c_size_t, c_void_p, POINTER(_Timespec))

    def receive(self, block: bool = True) -> bytes:
        self._check()
        try:
            size = self._call(self._descriptor, byref(self._buffer), self.largest, None, None if block else _PAST)
        except TimeoutError as error:
            raise Empty(f"{self.address}: no message") from error
        return bytes(self._view[:size])
