"""A non-blocking stream socket with a write buffer: what a TCP hop and the control connection are made of."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Protocol

from chaos.planes.loop import READ, WRITE, Loop
from nodes.wire.addresses import Internet
from nodes.wire.transports import NO_LINGER

CHUNK = 65536
CONGESTED = 256 * 1024


class Events(Protocol):
    """What a stream tells its owner. After `lost` the stream is closed."""

    def connected(self, stream: Stream) -> None: ...

    def data(self, stream: Stream, data: bytes) -> None: ...

    def end(self, stream: Stream) -> None: ...

    def lost(self, stream: Stream) -> None: ...

    def drained(self, stream: Stream) -> None: ...


class Stream:
    """One connection's socket. `reading` may be switched off for back pressure; then the peer has to wait."""

    def __init__(self, loop: Loop, sock: socket.socket, events: Events) -> None:
        self.socket = sock
        self._loop = loop
        self._events = events
        self._buffer = bytearray()
        self._connecting = False
        self._reading = False
        self._read_end = False
        self._watched = 0
        self._closing = False
        self.closed = False
        self._after_flush: Callable[[], None] | None = None
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    @property
    def unsent(self) -> int:
        """How many bytes wait for the peer, or for the connection."""
        return len(self._buffer)

    @property
    def congested(self) -> bool:
        return len(self._buffer) > CONGESTED

    def connect(self, address: Internet) -> None:
        """Begin to connect; `connected` or `lost` follows, never before this returns."""
        self._connecting = True
        try:
            self.socket.connect(address)
        except OSError:
            pass  # under way, or failed: the loop finds the socket writable, and then its error is asked for
        self._watch()

    def read(self, wanted: bool) -> None:
        wanted = wanted and not self._closing
        if self._reading != wanted:
            self._reading = wanted
            self._watch()

    def send(self, data: bytes) -> None:
        """Send all of `data`, now or as the peer takes it."""
        if self.closed or self._after_flush is not None:
            return
        if self._buffer or self._connecting:
            self._buffer += data  # behind what waits; the socket is watched already
            return
        try:
            sent = self.socket.send(data)
        except (BlockingIOError, InterruptedError):
            sent = 0
        except OSError:
            self._lose()
            return
        if sent < len(data):
            self._buffer += data[sent:]
            self._watch()

    def finish(self) -> None:
        """After what was sent, the peer reads end of file."""
        self._then(self._shut)

    def close(self) -> None:
        """Close after what was sent. A peer that takes nothing more delays that, perhaps until `reset`."""
        self._closing = True
        self.read(False)
        self._then(self._close)

    def reset(self) -> None:
        """Close at once, with a reset where the system can, after one attempt to hand over what was sent."""
        if self.closed:
            return
        try:
            if self._buffer and not self._connecting:
                self.socket.send(self._buffer)
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NO_LINGER)
        except OSError:
            pass  # it is gone already, which is what is wanted
        self._close()

    def receive(self) -> bool:
        """Read once and tell the owner; -> whether there may be more."""
        if self.closed or self._connecting or not self._reading or self._read_end:
            return False
        try:
            data = self.socket.recv(CHUNK)
        except (BlockingIOError, InterruptedError):
            return False
        except OSError:
            self._lose()
            return False
        if data:
            self._events.data(self, data)
            return True
        self._read_end = True
        self._watch()
        self._events.end(self)
        return False

    def _then(self, action: Callable[[], None]) -> None:
        if self.closed:
            return
        if self._buffer or self._connecting:
            self._after_flush = action
        else:
            action()

    def _shut(self) -> None:
        try:
            self.socket.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # the peer has gone: reading will say so

    def _close(self) -> None:
        self.closed = True
        self._buffer.clear()
        self._loop.close(self.socket)

    def _lose(self) -> None:
        self._close()
        self._events.lost(self)

    def _ready(self, events: int) -> None:
        if self._connecting:
            self._finish_connecting()
            return
        if events & WRITE:
            self._flush()
        if events & READ:
            self.receive()

    def _finish_connecting(self) -> None:
        if self.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) or not _has_peer(self.socket):
            self._lose()
            return
        self._connecting = False
        self._flush()
        if not self.closed:
            self._events.connected(self)

    def _flush(self) -> None:
        if self.closed:
            return
        was_congested = self.congested
        try:
            while self._buffer:
                del self._buffer[: self.socket.send(self._buffer)]
        except (BlockingIOError, InterruptedError):
            pass
        except OSError:
            self._lose()
            return
        if not self._buffer and self._after_flush is not None:
            action, self._after_flush = self._after_flush, None
            action()
        self._watch()
        if was_congested and not self.congested:
            self._events.drained(self)

    def _watch(self) -> None:
        if self.closed:
            return
        reads = READ if self._reading and not self._read_end and not self._connecting else 0
        writes = WRITE if self._buffer or self._connecting else 0
        if reads | writes != self._watched:
            self._watched = reads | writes
            self._loop.watch(self.socket, self._watched, self._ready)


def _has_peer(sock: socket.socket) -> bool:
    try:
        sock.getpeername()
    except OSError:
        return False
    return True
