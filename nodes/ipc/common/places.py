"""Where names are kept that are in the file system, and what is told of what lies there."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from nodes.ipc.common.channel import checked
from nodes.ipc.common.errors import Leftover, NoSuchChannel

SHARED_MEMORY = Path("/dev/shm")
"""The tmpfs that glibc's shm_open(3) uses (shm_overview(7)). A file there that is mapped is POSIX shared memory without
multiprocessing's resource tracker, which before Python 3.13 removes at its exit what others still use."""


def temporary(name: str, kind: str) -> str:
    """The path of a name of that kind. Raises ChannelError for what cannot be a name."""
    return str(Path(tempfile.gettempdir(), f"{checked(name)}.{kind}"))


def shared(name: str) -> str:
    return str(SHARED_MEMORY / checked(name))


def no_shared_memory() -> str | None:
    return None if SHARED_MEMORY.is_dir() and os.access(SHARED_MEMORY, os.W_OK) else f"no {SHARED_MEMORY} to write in"


def remove(path: str) -> None:
    try:
        os.unlink(path)
    except FileNotFoundError:
        pass


def leftover(path: str, what: str) -> Leftover:
    return Leftover(
        f"{path}: {what} is there already, of a channel in use or of a run that ended; remove it: rm {path}"
    )


def missing(path: str, what: str) -> NoSuchChannel:
    return NoSuchChannel(f"{path}: there is no such {what}")
