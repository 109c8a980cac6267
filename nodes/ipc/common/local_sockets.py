"""Unix sockets that have a path (unix(7)): who creates a channel binds, who attaches connects."""

from __future__ import annotations

import errno
import os
import socket

from nodes.ipc.common.errors import ChannelError, NoSuchChannel, Taken
from nodes.ipc.common.places import leftover, missing, temporary

_LONGEST = 107
"""Of sun_path, which Linux has 108 bytes for (unix(7))."""
ENDED = (BrokenPipeError, ConnectionResetError, ConnectionRefusedError)


def without(kind: str) -> str | None:
    """Why there are no Unix sockets of that kind ("SOCK_STREAM") here."""
    if not hasattr(socket, "AF_UNIX"):
        return "no Unix sockets in this Python"
    return None if hasattr(socket, kind) else f"no {kind} in this Python"


def _path(name: str) -> str:
    path = temporary(name, "socket")
    if len(os.fsencode(path)) > _LONGEST:
        raise ChannelError(f"{path}: a Unix socket's path has at most {_LONGEST} bytes; TMPDIR says where it lies")
    return path


def _socket(kind: int) -> socket.socket:
    own = socket.socket(socket.AF_UNIX, kind)
    _tell_senders(own)
    return own


def _tell_senders(own: socket.socket) -> None:
    """A connection of messages says with each who sent it: an empty one is told from the end by that."""
    if own.type == getattr(socket, "SOCK_SEQPACKET", None):
        own.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)


def bound(name: str, kind: int) -> tuple[socket.socket, str]:
    path = _path(name)
    own = _socket(kind)
    try:
        own.bind(path)
    except OSError as error:
        own.close()
        if os.path.lexists(path):
            raise leftover(path, "a file") from error
        raise
    return own, path


def connected(name: str, kind: int) -> tuple[socket.socket, str]:
    """Raises NoSuchChannel, Taken. To connect never blocks: one connection waits for its accept, and no further."""
    path = _path(name)
    own = _socket(kind)
    own.setblocking(False)
    try:
        own.connect(path)
    except FileNotFoundError as error:
        own.close()
        raise missing(path, "socket") from error
    except (BlockingIOError, ConnectionRefusedError, PermissionError) as error:
        own.close()
        raise Taken(f"{path}: its two processes are together already, or its creator has ended ({error})") from error
    except OSError as error:
        own.close()
        if error.errno != errno.EPROTOTYPE:
            raise
        raise NoSuchChannel(f"{path}: that is a Unix socket of another kind") from error
    own.setblocking(True)
    return own, path


class Listening:
    """Until somebody has attached; nobody else can then."""

    def __init__(self, listener: socket.socket) -> None:
        self._listener = listener
        self._connection: socket.socket | None = None
        listener.listen(0)

    def meet(self, block: bool) -> int | None:
        if self._connection is None:
            self._listener.setblocking(block)
            try:
                self._connection, _ = self._listener.accept()
            except BlockingIOError:
                return None
            _tell_senders(self._connection)
            self._listener.close()
        return self._connection.fileno()

    def close(self) -> None:
        self._listener.close()
        if self._connection is not None:
            self._connection.close()


class Connected:
    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection

    def meet(self, block: bool) -> int | None:
        return self._connection.fileno()

    def close(self) -> None:
        self._connection.close()
