"""A Unix stream socket (unix(7)): a connection with a path, that carries bytes."""

from __future__ import annotations

import socket

from nodes.ipc.common import streams
from nodes.ipc.common.channel import Declared, End, Role
from nodes.ipc.common.local_sockets import Connected, Listening, bound, connected, without
from nodes.ipc.common.streams import StreamReceiver, StreamSender

DECLARED = Declared(
    boundaries=False,
    largest="16 MiB",
    capacity="the sender's buffer (net.core.wmem_default)",
    kernel=True,
    stays="a file in the folder for temporary ones, to which nobody can connect",
    end_of_file=True,
    broken_pipe=True,
    two=True,
)
_ENDS = {Role.SENDER: StreamSender, Role.RECEIVER: StreamReceiver}


def availability() -> str | None:
    return without("SOCK_STREAM") or streams.availability()


def create(name: str, role: Role) -> End:
    own, path = bound(name, socket.SOCK_STREAM)
    return _ENDS[role](name, Listening(own), path)


def attach(address: str, role: Role) -> End:
    own, path = connected(address, socket.SOCK_STREAM)
    return _ENDS[role](address, Connected(own), path)
