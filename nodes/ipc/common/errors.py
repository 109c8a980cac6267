"""PURE: what can go wrong with a channel. Each is definite: the message was not taken, or nothing was there."""

from __future__ import annotations


class ChannelError(Exception):
    """Says which channel, what is wrong, and what can be done."""


class Full(ChannelError):
    """A send that was not to block found no room, or nobody to send to yet; nothing of the message went."""


class Empty(ChannelError):
    """A receive that was not to block found no message."""


class EndOfFile(ChannelError):
    """The last sender has closed its end or died, and everything that it sent was received."""


class BrokenPipe(ChannelError):
    """The receiver has closed its end or died."""


class TooLarge(ChannelError):
    """The message is larger than the channel carries."""


class NoSuchChannel(ChannelError):
    """Nothing of that name is there."""


class Leftover(ChannelError):
    """Something of that name is there already; says how it is removed."""


class Taken(ChannelError):
    """The channel is between two processes, and has them."""


class SystemLimit(ChannelError):
    """A limit of the kernel's; says which, and its value."""


class WrongEnd(ChannelError):
    """To send on the end that receives, or the other way; or to create an end that can only be attached."""
