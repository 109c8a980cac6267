"""Whether something can be written where somebody wants it, asked before a run: what is there stays as it is."""

from __future__ import annotations

import errno
import os
import tempfile
from pathlib import Path


def try_folder(folder: Path) -> None:
    """Make it, if need be, and a file in it, which is removed again. Raises OSError, which names the place."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except FileExistsError:
        what = "it is a link to nothing" if folder.is_symlink() else "it is a file"
        raise NotADirectoryError(errno.ENOTDIR, f"{what}, expected a folder", str(folder)) from None
    with tempfile.TemporaryFile(dir=folder, prefix=".try-"):
        pass


def try_file(path: Path) -> Path:
    """-> where a file of this name is written: at the end of a link. Raises OSError, which names the place."""
    end = Path(os.path.realpath(path))
    if end.is_symlink():
        raise OSError(errno.ELOOP, "it is a link that leads to itself", str(path))
    if end.exists() and not end.is_file():
        raise OSError(errno.EINVAL, "it is no regular file, which would be replaced", str(path))
    try_folder(end.parent)
    return end
