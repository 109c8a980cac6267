"""A Unix datagram socket (unix(7)): a path to which anybody may send messages; none is lost, none overtakes another."""

from __future__ import annotations

import socket

from nodes.ipc.common.channel import Declared, End, Role
from nodes.ipc.common.errors import WrongEnd
from nodes.ipc.common.local_sockets import Connected, bound, connected, without
from nodes.ipc.common.packets import PacketReceiver, PacketSender

DECLARED = Declared(
    boundaries=True,
    largest="the sender's buffer (net.core.wmem_default, 208 KiB)",
    capacity="net.unix.max_dgram_qlen messages, and the sender's buffer",
    kernel=True,
    stays="a file in the folder for temporary ones, to which nobody can connect",
    broken_pipe=True,
    creators=(Role.RECEIVER,),
)


def availability() -> str | None:
    return without("SOCK_DGRAM")


def create(name: str, role: Role) -> End:
    if role is Role.SENDER:
        raise WrongEnd(f"unix_datagram {name}: the path is the receiver's, so the receiver creates the channel")
    own, path = bound(name, socket.SOCK_DGRAM)
    return PacketReceiver(name, Connected(own), path, ends=False)


def attach(address: str, role: Role) -> End:
    if role is Role.RECEIVER:
        raise WrongEnd(f"unix_datagram {address}: the path is the receiver's, who has created the channel")
    own, path = connected(address, socket.SOCK_DGRAM)
    return PacketSender(address, Connected(own), path)
