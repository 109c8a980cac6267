"""A Unix seqpacket socket (unix(7)): a connection with a path, that carries messages."""

from __future__ import annotations

import socket
import sys

from nodes.ipc.common.channel import Declared, End, Role
from nodes.ipc.common.local_sockets import Connected, Listening, bound, connected, without
from nodes.ipc.common.packets import PacketReceiver, PacketSender
from nodes.ipc.common.streams import Meeting

DECLARED = Declared(
    boundaries=True,
    largest="the sender's buffer (net.core.wmem_default, 208 KiB)",
    capacity="the sender's buffer",
    kernel=True,
    stays="a file in the folder for temporary ones, to which nobody can connect",
    end_of_file=True,
    broken_pipe=True,
    two=True,
)


def availability() -> str | None:
    if sys.platform != "linux":
        return "an empty message is told from the end by SO_PASSCRED, which is Linux's"
    return without("SOCK_SEQPACKET")


def create(name: str, role: Role) -> End:
    own, path = bound(name, socket.SOCK_SEQPACKET)
    return _end(name, Listening(own), path, role)


def attach(address: str, role: Role) -> End:
    own, path = connected(address, socket.SOCK_SEQPACKET)
    return _end(address, Connected(own), path, role)


def _end(name: str, meeting: Meeting, path: str, role: Role) -> End:
    return PacketSender(name, meeting, path) if role is Role.SENDER else PacketReceiver(name, meeting, path, ends=True)
