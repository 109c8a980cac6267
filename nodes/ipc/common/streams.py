"""Messages over a descriptor that carries a stream of bytes. It does not block; who is to block waits in poll(2).

A stream takes a part of what does not fit. So a send that is not to block says Full only if nothing of the message
went; one that has begun is completed, and waits for the receiver. What has at most PIPE_BUF bytes with its length is
never begun in part by a pipe or a FIFO (pipe(7)).
"""

from __future__ import annotations

import os
import select
from typing import Protocol

from nodes.ipc.common.channel import End
from nodes.ipc.common.errors import BrokenPipe, ChannelError, Empty, EndOfFile, Full
from nodes.ipc.common.frames import LARGEST, Frames, prefix
from nodes.ipc.common.places import remove

READ = 1 << 16
_COPIED = 1 << 14


class Meeting(Protocol):
    """How this end comes by its descriptor, which `close` closes."""

    def meet(self, block: bool) -> int | None:
        """Wait for the other process, if it is to block -> the descriptor, or None if nobody is there yet."""

    def close(self) -> None: ...


class Met:
    """It has it."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def meet(self, block: bool) -> int | None:
        return self._descriptor

    def close(self) -> None:
        os.close(self._descriptor)


def availability() -> str | None:
    return None if hasattr(select, "poll") else "no poll(2) in this Python"


def ready(descriptor: int, event: int, block: bool = True) -> int:
    """What poll(2) says of it; 0 if nothing yet and it is not to block."""
    look = select.poll()
    look.register(descriptor, event)
    found = look.poll(None if block else 0)
    return found[0][1] if found else 0


class _Stream(End):
    largest = LARGEST

    def __init__(self, address: str, meeting: Meeting, path: str | None = None) -> None:
        self.address = address
        self._meeting, self._path = meeting, path
        self._descriptor: int | None = None
        self._closed = False

    def _met(self, block: bool) -> int | None:
        if self._closed:
            raise ChannelError(f"{self.address}: this end is closed")
        if self._descriptor is None:
            self._descriptor = self._meeting.meet(block)
            if self._descriptor is not None:
                os.set_blocking(self._descriptor, False)
        return self._descriptor

    def close(self) -> None:
        self.hand_over()
        if not self._closed:
            self._closed = True
            self._meeting.close()

    def unlink(self) -> None:
        if self._path is not None:
            remove(self._path)


class StreamSender(_Stream):
    def send(self, message: bytes, block: bool = True) -> None:
        self._fits(message)
        descriptor = self._met(block)
        if descriptor is None:
            raise Full(f"{self.address}: nobody receives yet")
        try:
            self._write(descriptor, prefix(message), message, block)
        except (BrokenPipeError, ConnectionResetError) as error:
            raise BrokenPipe(f"{self.address}: the receiver has ended") from error

    def _write(self, descriptor: int, length: bytes, message: bytes, block: bool) -> None:
        """A short message is copied behind its length; a long one is not, and goes with it in one call as well."""
        size, done = len(length) + len(message), 0
        framed = memoryview(length + message) if size <= _COPIED else None
        while done < size:
            try:
                if framed is None and done < len(length):
                    done += os.writev(descriptor, [length[done:], message])
                else:
                    rest = framed[done:] if framed is not None else memoryview(message)[done - len(length) :]
                    done += os.write(descriptor, rest)
            except BlockingIOError:
                if not block and not done:
                    raise Full(f"{self.address}: no room for {size} bytes") from None
                ready(descriptor, select.POLLOUT)


class StreamReceiver(_Stream):
    def __init__(self, address: str, meeting: Meeting, path: str | None = None) -> None:
        super().__init__(address, meeting, path)
        self._frames = Frames()

    def receive(self, block: bool = True) -> bytes:
        while (message := self._frames.next()) is None:
            descriptor = self._met(block)
            if descriptor is None:
                raise Empty(f"{self.address}: nobody sends yet")
            self._read(descriptor, block)
        return message

    def _read(self, descriptor: int, block: bool) -> None:
        try:
            data = os.read(descriptor, READ)
        except BlockingIOError:
            data = b""
        except ConnectionResetError:  # what a sender leaves that died with something unread
            raise EndOfFile(f"{self.address}: the sender has ended") from None
        if data:
            self._feed(data)
            return
        event = ready(descriptor, select.POLLIN, block)
        if not event:
            raise Empty(f"{self.address}: no message")
        if not event & select.POLLIN or self._at_end(descriptor):
            within = f", {self._frames.kept} bytes into a message" if self._frames.kept else ""
            raise EndOfFile(f"{self.address}: the last sender has ended{within}")

    def _feed(self, data: bytes) -> None:
        try:
            self._frames.feed(data)
        except ValueError as error:
            raise ChannelError(f"{self.address}: {error}; were there several senders of long messages?") from error

    def _at_end(self, descriptor: int) -> bool:
        """Of a socket, that nothing is to be read says so; of a FIFO, it says nothing before there was a writer."""
        try:
            data = os.read(descriptor, READ)
        except BlockingIOError:
            return False
        self._feed(data)
        return not data
