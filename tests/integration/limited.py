"""Commands with few descriptors or few processes to have, and a folder that another user may enter."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from requirements import need, need_root

NOBODYS = 1_000_000 + os.getpid()
"""A user id that nothing else runs as, no other session of tests either: RLIMIT_NPROC counts all of a user's, and does
not bind root (getrlimit(2))."""


def descriptors(number: int) -> tuple[str, ...]:
    """What goes before a command."""
    return (need("prlimit", "limits"), f"--nofile={number}:{number}", "--")


def processes(number: int) -> tuple[str, ...]:
    """What goes before a command: processes and threads of a user that has no others."""
    need_root()
    change = (need("setpriv", "limits"), f"--reuid={NOBODYS}", f"--regid={NOBODYS}", "--clear-groups")
    return (need("prlimit", "limits"), f"--nproc={number}:{number}", *change, *READS, "--")


READS = ("--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search")
"""It finds the interpreter wherever that is, in root's home too (capabilities(7))."""


@contextmanager
def anybodys_folder() -> Iterator[Path]:
    """One that every user can write to."""
    folder = Path(tempfile.mkdtemp(prefix="faultbed-limited."))
    try:
        os.chmod(folder, 0o777)
        yield folder
    finally:
        shutil.rmtree(folder)
