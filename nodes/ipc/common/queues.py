"""What the two message queues of the kernel share: calls of the C library, and limits under /proc."""

from __future__ import annotations

import ctypes
import errno
import os
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

LIBRARIES = (None, "librt.so.1")
"""mq_open(3) was in librt before glibc 2.34."""


@cache
def function(name: str, result: Any, *arguments: Any) -> Callable[..., int]:
    """The C library's `name`; its errors are raised as OSError, and a signal's interruption is tried again (EINTR)."""
    call = _found(name)
    call.argtypes, call.restype = arguments, result

    def checked(*values: Any) -> int:
        while True:
            done = int(call(*values))
            if done >= 0:
                return done
            error = ctypes.get_errno()
            if error != errno.EINTR:
                raise OSError(error, os.strerror(error))

    return checked


def missing(*names: str) -> str | None:
    for name in names:
        try:
            _found(name)
        except (AttributeError, OSError, TypeError):  # TypeError: Windows has no library of the process itself
            return f"no {name} in the C library"
    return None


def _found(name: str) -> Any:
    for library in LIBRARIES:
        try:
            return getattr(ctypes.CDLL(library, use_errno=True), name)
        except (AttributeError, OSError):
            if library == LIBRARIES[-1]:
                raise
    raise AttributeError(name)


def limit(path: str, otherwise: int) -> int:
    """One of the kernel's, by its file; `otherwise` where there is none."""
    try:
        return int(Path(path).read_text())
    except (OSError, ValueError):
        return otherwise


def told(*paths: str) -> str:
    """The limits that these files have, as a text."""
    return ", ".join(f"{path} is {limit(path, -1)}" for path in paths)
