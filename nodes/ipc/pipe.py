"""A pipe (pipe(2)): two descriptors and a buffer in the kernel; who is not a child of its creator cannot have one."""

from __future__ import annotations

import os

from nodes.ipc.common import streams
from nodes.ipc.common.channel import Declared, End, Role
from nodes.ipc.common.errors import NoSuchChannel
from nodes.ipc.common.streams import Met, StreamReceiver, StreamSender

DECLARED = Declared(
    boundaries=False,
    largest="16 MiB; to PIPE_BUF (4,096 B on Linux) with its length, several senders' stay whole",
    capacity="64 KiB",
    kernel=True,
    related=True,
    end_of_file=True,
    broken_pipe=True,
)
availability = streams.availability


def create(name: str, role: Role) -> End:
    """It has no name, so `name` says it in errors alone; the other end's descriptor is to be inherited."""
    read, write = os.pipe()
    mine, other = (read, write) if role is Role.RECEIVER else (write, read)
    end = attach(str(mine), role)
    end.address, end.descriptors = str(other), (other,)
    return end


def attach(address: str, role: Role) -> End:
    """`address` is the number of a descriptor that this process has inherited. Raises NoSuchChannel."""
    try:
        descriptor = int(address)
        os.fstat(descriptor)
    except (ValueError, OSError) as error:
        raise NoSuchChannel(f"pipe: no descriptor {address!r} in this process; it is to be inherited") from error
    os.set_inheritable(descriptor, False)
    kind = StreamReceiver if role is Role.RECEIVER else StreamSender
    return kind(address, Met(descriptor))
