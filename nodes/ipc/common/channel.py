"""What a channel's end is, and what a mechanism declares of itself."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from enum import Enum
from typing import TypeVar

from nodes.ipc.common.errors import ChannelError, TooLarge, WrongEnd

PREFIX = "faultbed-"
"""What the names of channels begin with, in the file system and in the kernel."""
_NAME = re.compile(r"[a-z0-9][a-z0-9_.-]{0,39}")


COLUMNS = (
    *("message boundaries", "largest message", "capacity", "processes related", "told of the other's end"),
    *("stays behind", "a message in the kernel"),
)
"""What `Declared.cells` has."""


class Role(Enum):
    SENDER = "sender"
    RECEIVER = "receiver"


@dataclass(frozen=True)
class Declared:
    """`largest` and `capacity` are texts: some are the kernel's, and differ by host. `end_of_file`: a receiver learns
    that the last sender has ended; `broken_pipe`: a sender learns it of the receiver. `two`: a further process is
    refused. `stays` is what outlives all its processes, "" if nothing does. `kernel`: a message is copied into the
    kernel and out of it. `wrong` is what is wrong with it on purpose."""

    boundaries: bool
    largest: str
    capacity: str
    kernel: bool
    stays: str = ""
    related: bool = False
    end_of_file: bool = False
    broken_pipe: bool = False
    two: bool = False
    creators: tuple[Role, ...] = (Role.RECEIVER, Role.SENDER)
    wrong: str = ""

    def cells(self) -> tuple[str, ...]:
        """As texts, for COLUMNS."""
        told = [role.value for role, is_told in self._told() if is_told]
        return (
            "kept" if self.boundaries else "none: a length in front",
            self.largest,
            self.capacity,
            "must be" if self.related else "need not be",
            " and ".join(told) or "nobody",
            self.stays or "nothing",
            "copied in and out" if self.kernel else "not on its way",
        )

    def _told(self) -> tuple[tuple[Role, bool], ...]:
        return (Role.RECEIVER, self.end_of_file), (Role.SENDER, self.broken_pipe)


EndType = TypeVar("EndType", bound="End")


class End:
    """One process's end of a channel. `address` is what another process attaches to. `descriptors` are to be inherited
    by it (`pass_fds` of subprocess). `largest` is in bytes."""

    address: str
    largest: int
    descriptors: tuple[int, ...] = ()

    def __enter__(self: EndType) -> EndType:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def send(self, message: bytes, block: bool = True) -> None:
        """Raises TooLarge, BrokenPipe, and Full unless it is to block until there is room."""
        raise WrongEnd(f"{self.address}: this end receives")

    def receive(self, block: bool = True) -> bytes:
        """Raises EndOfFile, and Empty unless it is to block until there is a message."""
        raise WrongEnd(f"{self.address}: this end sends")

    def hand_over(self) -> None:
        """Another process has inherited the descriptors, so they are closed here."""
        for descriptor in self.descriptors:
            os.close(descriptor)
        self.descriptors = ()

    def close(self) -> None:
        """This process is done with it. What has a name keeps it."""

    def unlink(self) -> None:
        """Remove the name; no error where it is gone. Who is attached goes on."""

    def _fits(self, message: bytes) -> None:
        if len(message) > self.largest:
            raise TooLarge(f"{self.address}: a message of {len(message)} bytes, at most {self.largest} are carried")


def checked(name: str) -> str:
    """The same, if it can be a channel's name wherever names are kept. Raises ChannelError."""
    if not _NAME.fullmatch(name):
        raise ChannelError(f"not a channel's name: {name[:80]!r}, expected at most 40 of a-z, 0-9, '_', '-' and '.'")
    return PREFIX + name
