"""The bit table of select(2) and pselect(2): one bit a descriptor, and no more of them than FD_SETSIZE."""

from __future__ import annotations

import errno

FD_SETSIZE = 1024
"""libc's, whatever the kernel could do (select(2), "BUGS")."""


def check(fd: int) -> None:
    """Raises OSError for a descriptor that has no bit."""
    if fd >= FD_SETSIZE:
        remedy = "use an engine of poll or epoll, or allow it fewer open files (limits: {files: 1024})"
        raise OSError(errno.EINVAL, f"descriptor {fd} is not below FD_SETSIZE, {FD_SETSIZE}; {remedy}")
