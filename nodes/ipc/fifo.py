"""A FIFO (fifo(7)): a pipe that has a name in the file system, so that any two processes of a host can meet there."""

from __future__ import annotations

import errno
import os
import stat

from nodes.ipc.common import streams
from nodes.ipc.common.channel import Declared, End, Role
from nodes.ipc.common.errors import NoSuchChannel
from nodes.ipc.common.places import leftover, missing, temporary
from nodes.ipc.common.streams import Met, StreamReceiver, StreamSender

DECLARED = Declared(
    boundaries=False,
    largest="16 MiB; to PIPE_BUF (4,096 B on Linux) with its length, several senders' stay whole",
    capacity="64 KiB",
    kernel=True,
    stays="a file in the folder for temporary ones, without its messages",
    end_of_file=True,
    broken_pipe=True,
)


def availability() -> str | None:
    return streams.availability() if hasattr(os, "mkfifo") else "no FIFOs in the file system (mkfifo)"


class _Sought:
    """Its receiver may not be there yet: to open a FIFO for writing alone waits for one (fifo(7))."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._descriptor: int | None = None

    def meet(self, block: bool) -> int | None:
        try:
            self._descriptor = os.open(self._path, os.O_WRONLY | (0 if block else os.O_NONBLOCK))
        except FileNotFoundError as error:
            raise missing(self._path, "FIFO") from error
        except OSError as error:
            if error.errno != errno.ENXIO:
                raise
        return self._descriptor

    def close(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)


def create(name: str, role: Role) -> End:
    path = temporary(name, "fifo")
    try:
        os.mkfifo(path, 0o600)
    except FileExistsError as error:
        raise leftover(path, "a file") from error
    return _end(name, path, role)


def attach(address: str, role: Role) -> End:
    path = temporary(address, "fifo")
    try:
        if not stat.S_ISFIFO(os.stat(path).st_mode):
            raise NoSuchChannel(f"{path}: that is no FIFO")
    except FileNotFoundError as error:
        raise missing(path, "FIFO") from error
    return _end(address, path, role)


def _end(name: str, path: str, role: Role) -> End:
    if role is Role.SENDER:
        return StreamSender(name, _Sought(path), path)
    return StreamReceiver(name, Met(os.open(path, os.O_RDONLY | os.O_NONBLOCK)), path)
