"""What of the C library's waiting calls Python does not offer: nanoseconds, a signal mask, what a signal carries."""

from __future__ import annotations

import ctypes
import errno
import os
import sys
from collections.abc import Callable, Iterable
from ctypes import POINTER, byref, c_int, c_long
from typing import Any


class Timespec(ctypes.Structure):
    """struct timespec, timespec(3type)."""

    _fields_ = (("seconds", c_long), ("nanoseconds", c_long))


class Siginfo(ctypes.Structure):
    """siginfo_t as SIGIO and its like have it, sigaction(2). `band` is a mask of poll(2)."""

    _fields_ = (("unused", c_int * 4), ("band", c_long), ("fd", c_int), ("more", c_int * 25))


Sigset = ctypes.c_char * 128
"""sigset_t, as large as glibc and musl have it."""


def timespec(timeout_ns: int | None) -> Any:
    """As an argument; NULL waits for ever."""
    return None if timeout_ns is None else byref(Timespec(*divmod(timeout_ns, 1_000_000_000)))


def function(name: str, *arguments: Any) -> Callable[..., int]:
    """The libc's `name`, which returns a number of things; its errors are raised. EINTR is nothing: 0."""
    call = getattr(ctypes.CDLL(None, use_errno=True), name)
    call.argtypes, call.restype = arguments, c_int

    def checked(*values: Any) -> int:
        found: int = call(*values)
        if found >= 0:
            return found
        code = ctypes.get_errno()
        if code in (errno.EINTR, errno.EAGAIN):
            return 0
        raise OSError(code, os.strerror(code))

    return checked


def missing(name: str) -> str | None:
    """Why there is no such function here; None if there is."""
    if sys.platform != "linux":
        return f"{name} is called as Linux has it; this is {sys.platform}"
    return None if hasattr(ctypes.CDLL(None), name) else f"the C library has no {name}"


def sigset(signals: Iterable[int]) -> ctypes.Array[Any]:
    made, empty, add = Sigset(), function("sigemptyset", POINTER(Sigset)), function("sigaddset", POINTER(Sigset), c_int)
    empty(byref(made))
    for number in signals:
        add(byref(made), number)
    return made
