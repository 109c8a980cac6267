"""A segment of POSIX shared memory, mapped, and who has its two ends.

Each end holds a lock on a byte of the segment (an open file description lock, F_OFD_SETLK, fcntl(2)). The kernel lets
go of it when the process ends, however it ends, so who asks learns whether the other side is there. A child that was
forked has its parent's end too, as it has the end of a pipe.
"""

from __future__ import annotations

import mmap
import os
import struct
from collections.abc import Callable
from typing import Any

from nodes.ipc.common.channel import Role
from nodes.ipc.common.errors import NoSuchChannel, SystemLimit, Taken
from nodes.ipc.common.places import SHARED_MEMORY, leftover, missing, no_shared_memory, remove, shared

_FLOCK = "hhqqi4x"
"""struct flock where off_t has 64 bits: type, whence, start, length, process."""
_BYTE = {Role.SENDER: 0, Role.RECEIVER: 1}
OTHER = {Role.SENDER: Role.RECEIVER, Role.RECEIVER: Role.SENDER}
Control = Callable[[int, int, bytes], Any]


def availability() -> str | None:
    try:
        import fcntl
    except ImportError:
        return "no locks on files (fcntl) in this Python"
    if not hasattr(fcntl, "F_OFD_SETLK"):
        return "no locks that end with who has them (F_OFD_SETLK, Linux)"
    return no_shared_memory()


class Segment:
    """`claimed` is the role whose end this process has, if any."""

    def __init__(self, path: str, descriptor: int) -> None:
        self.path = path
        self._descriptor = descriptor
        self.size = os.fstat(descriptor).st_size
        self.memory = mmap.mmap(descriptor, self.size)

    def claim(self, role: Role) -> None:
        """Raises Taken."""
        import fcntl

        try:
            fcntl.fcntl(self._descriptor, fcntl.F_OFD_SETLK, _lock(fcntl.F_WRLCK, role))
        except (BlockingIOError, PermissionError) as error:
            raise Taken(f"{self.path}: it has a {role.value} already") from error

    def is_there(self, role: Role) -> bool:
        """Whether another process has that end. A system call."""
        import fcntl

        found = fcntl.fcntl(self._descriptor, fcntl.F_OFD_GETLK, _lock(fcntl.F_WRLCK, role))
        return bool(struct.unpack(_FLOCK, found)[0] != fcntl.F_UNLCK)

    def close(self) -> None:
        """What was exported of the memory is to be released before."""
        self.memory.close()
        os.close(self._descriptor)


def _lock(kind: int, role: Role) -> bytes:
    return struct.pack(_FLOCK, kind, os.SEEK_SET, _BYTE[role], 1, 0)


def created(name: str, size: int) -> Segment:
    """All zero. Raises Leftover, SystemLimit."""
    path = shared(name)
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except FileExistsError as error:
        raise leftover(path, "a segment of shared memory") from error
    try:
        os.posix_fallocate(descriptor, 0, size)  # else a full tmpfs is a SIGBUS at the first touch
        return Segment(path, descriptor)
    except OSError as error:
        os.close(descriptor)
        remove(path)
        raise SystemLimit(f"{path}: {error.strerror}; {size} bytes are wanted in {SHARED_MEMORY}") from error


def attached(name: str, size: int) -> Segment:
    """Raises NoSuchChannel."""
    path = shared(name)
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError as error:
        raise missing(path, "segment") from error
    found = os.fstat(descriptor).st_size
    if found != size:
        os.close(descriptor)
        raise NoSuchChannel(f"{path}: a segment of {found} bytes, which is none of ours: they have {size}")
    return Segment(path, descriptor)
