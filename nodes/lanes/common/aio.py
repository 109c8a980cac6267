"""POSIX asynchronous I/O (aio(7)): a read that the C library's own threads make, and three ways to learn of its end."""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import sys
from ctypes import POINTER, c_char_p, c_int, c_int64, c_long, c_size_t, c_void_p

from nodes.lanes.common.bench import SIZE, Bench

SIGEV_SIGNAL, SIGEV_NONE, SIGEV_THREAD = 0, 1, 2
CALLBACK = ctypes.CFUNCTYPE(None, c_void_p)


class Sigevent(ctypes.Structure):
    """struct sigevent of glibc, sigevent(3type): 64 bytes."""

    _fields_ = (
        ("value", c_void_p),
        ("signo", c_int),
        ("notify", c_int),
        ("function", CALLBACK),
        ("attributes", c_void_p),
        ("rest", c_int * 8),
    )


class Aiocb(ctypes.Structure):
    """struct aiocb of glibc with 64-bit addresses, aio(7)."""

    _fields_ = (
        ("fildes", c_int),
        ("opcode", c_int),
        ("reqprio", c_int),
        ("buf", c_void_p),
        ("nbytes", c_size_t),
        ("sigevent", Sigevent),
        ("internal", c_void_p),
        ("internal_numbers", c_int * 3),
        ("returned", c_long),
        ("offset", c_int64),
        ("reserved", c_char_p * 4),
    )


def availability() -> str | None:
    libc, _ = platform.libc_ver()
    if sys.platform != "linux" or libc != "glibc" or ctypes.sizeof(c_void_p) != 8:
        return f"aio's structures are known of glibc with 64-bit addresses; this is {libc or sys.platform}"
    return None


class Read:
    """One message's read into `memory`. Raises OSError where it cannot be begun."""

    def __init__(self, bench: Bench, notify: int, signo: int = 0, callback: object = None) -> None:
        self.memory = bytearray(SIZE)
        self._libc = ctypes.CDLL(None, use_errno=True)
        for name, kind in (("aio_read", c_int), ("aio_error", c_int), ("aio_return", c_long)):
            function = getattr(self._libc, name)
            function.argtypes, function.restype = [POINTER(Aiocb)], kind
        address = ctypes.addressof(ctypes.c_char.from_buffer(self.memory))
        event = Sigevent(signo=signo, notify=notify)
        if callback is not None:
            event.function = callback
        self._block = Aiocb(fildes=bench.socket.fileno(), buf=address, nbytes=SIZE, sigevent=event)

    def begin(self) -> None:
        if self._libc.aio_read(self._block):
            code = ctypes.get_errno()
            raise OSError(code, os.strerror(code))

    @property
    def going_on(self) -> bool:
        """A look at a variable: no system call."""
        return bool(self._libc.aio_error(self._block) == errno.EINPROGRESS)

    def end(self) -> bytearray:
        """Once it is done -> the message. Raises OSError."""
        code = self._libc.aio_error(self._block)
        if code:
            raise OSError(code, os.strerror(code))
        return self.memory[: self._libc.aio_return(self._block)]
