"""Reading a file that somebody names: all of it or an error, and never without end."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import BinaryIO

_FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
"""A FIFO is opened at once, whether or not anybody writes to it."""
_KINDS = {
    stat.S_IFREG: "a file",
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a FIFO",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFSOCK: "a socket",
}


def sort_of(path: Path) -> str:
    """What it is, such as "a folder". Raises OSError."""
    return _kind(os.stat(path))


def _kind(found: os.stat_result) -> str:
    return _KINDS.get(stat.S_IFMT(found.st_mode), "something else")


def read(path: Path, most: int) -> bytes:
    """A regular file of at most `most` bytes. Raises OSError, whose `strerror` says why not."""
    with opened(path, most) as file:
        data = file.read(most + 1)
    if len(data) > most:
        raise _too_large(path, "more than that", most)
    return data


def opened(path: Path, most: int) -> BinaryIO:
    """As `read`, to be read by whoever wants it."""
    if "\0" in str(path):
        raise OSError(errno.EINVAL, "its name has a null character, which no file's can have", str(path))
    _check(path, os.stat(path), most)
    file = os.fdopen(os.open(path, _FLAGS), "rb")
    try:
        _check(path, os.fstat(file.fileno()), most)  # it may be another one by now
    except OSError:
        file.close()
        raise
    return file


def _check(path: Path, found: os.stat_result, most: int) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise OSError(errno.EINVAL, f"it is {_kind(found)}, expected a regular file", str(path))
    if found.st_size > most:
        raise _too_large(path, f"{found.st_size} bytes", most)


def _too_large(path: Path, size: str, most: int) -> OSError:
    return OSError(errno.EFBIG, f"it has {size}, expected at most {most} bytes", str(path))
