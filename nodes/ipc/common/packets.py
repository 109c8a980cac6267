"""Messages over a Unix socket that keeps their boundaries (unix(7)): one send is one message, whole or not at all."""

from __future__ import annotations

import errno
import socket

from nodes.ipc.common.channel import End
from nodes.ipc.common.errors import BrokenPipe, ChannelError, Empty, EndOfFile, Full, TooLarge
from nodes.ipc.common.local_sockets import ENDED
from nodes.ipc.common.places import remove
from nodes.ipc.common.streams import Meeting

_CREDENTIALS = socket.CMSG_SPACE(12) if hasattr(socket, "CMSG_SPACE") else 0
"""Room for struct ucred (SO_PASSCRED)."""
_OVERHEAD = 32
"""What Linux takes of the sender's buffer for itself (unix_dgram_sendmsg)."""


class _Packets(End):
    def __init__(self, address: str, meeting: Meeting, path: str) -> None:
        self.address = address
        self._meeting, self._path = meeting, path
        self._socket: socket.socket | None = None
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as like_it:
            self.largest = like_it.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF) - _OVERHEAD
        self._closed = False

    def _met(self, block: bool) -> socket.socket | None:
        if self._closed:
            raise ChannelError(f"{self.address}: this end is closed")
        if self._socket is None and (descriptor := self._meeting.meet(block)) is not None:
            self._socket = socket.socket(fileno=descriptor)
            self._socket.setblocking(True)
        return self._socket

    def close(self) -> None:
        self._closed = True
        if self._socket is not None:
            self._socket.detach()
            self._socket = None
        self._meeting.close()

    def unlink(self) -> None:
        remove(self._path)


class PacketSender(_Packets):
    def send(self, message: bytes, block: bool = True) -> None:
        self._fits(message)
        own = self._met(block)
        if own is None:
            raise Full(f"{self.address}: nobody receives yet")
        try:
            own.send(message, 0 if block else socket.MSG_DONTWAIT)
        except BlockingIOError as error:
            raise Full(f"{self.address}: no room for {len(message)} bytes") from error
        except ENDED as error:
            raise BrokenPipe(f"{self.address}: the receiver has ended") from error
        except OSError as error:
            if error.errno != errno.EMSGSIZE:
                raise
            raise TooLarge(f"{self.address}: a message of {len(message)} bytes: {error}") from error


class PacketReceiver(_Packets):
    """`ends`: of a connection. Then a receive of nothing is an empty message if it says who sent it, else the end."""

    def __init__(self, address: str, meeting: Meeting, path: str, ends: bool) -> None:
        super().__init__(address, meeting, path)
        self._ends = ends
        self._buffer = memoryview(bytearray(self.largest))

    def receive(self, block: bool = True) -> bytes:
        own = self._met(block)
        if own is None:
            raise Empty(f"{self.address}: nobody sends yet")
        try:
            size, who, _, _ = own.recvmsg_into([self._buffer], _CREDENTIALS, 0 if block else socket.MSG_DONTWAIT)
        except BlockingIOError as error:
            raise Empty(f"{self.address}: no message") from error
        if not size and self._ends and not who:
            raise EndOfFile(f"{self.address}: the sender has ended")
        return bytes(self._buffer[:size])
