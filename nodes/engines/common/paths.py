"""Unix domain sockets in the file system: whose name a dead process left behind, and who takes it away."""

from __future__ import annotations

import errno
import os
import socket
import stat
from typing import Any


class PathSocket(socket.socket):
    """One that is bound to a path removes it when it is closed, and takes the place of one that nobody has any more."""

    _mine: tuple[str, int] | None = None

    def bind(self, path: Any) -> None:
        try:
            super().bind(path)
        except OSError as error:
            if error.errno != errno.EADDRINUSE or path.startswith("\0") or not _abandoned(path, self.type):
                raise
            os.unlink(path)
            super().bind(path)
        if path and not path.startswith("\0"):
            self._mine = path, os.stat(path).st_ino

    def close(self) -> None:
        if self._mine is not None:
            (path, number), self._mine = self._mine, None
            try:
                if os.stat(path).st_ino == number:  # else it was taken away, and is another's by now
                    os.unlink(path)
            except OSError:
                pass
        super().close()


def _abandoned(path: str, kind: int) -> bool:
    """Whether it is the name of a socket whose process has ended."""
    try:
        if not stat.S_ISSOCK(os.stat(path).st_mode):
            return False
        with socket.socket(socket.AF_UNIX, kind) as probe:
            probe.setblocking(False)
            probe.connect(path)
    except ConnectionRefusedError:
        return True
    except OSError:
        return False
    return False
