"""What engines on the BSD socket interface share: how sockets are made and what they say of themselves."""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Callable
from functools import partial
from typing import Any

from nodes.engines.common.paths import PathSocket
from nodes.ops import Address
from nodes.wire.addresses import Group, IPv4, IPv6, UnixPath

ABORTED = "the socket was closed by another program"
INTERNET = (socket.AF_INET, socket.AF_INET6)
MESSAGES = getattr(socket, "SOCK_SEQPACKET", None)
_AT_ONCE = getattr(socket, "MSG_DONTWAIT", 0)  # Windows has none, and no engine there whose sockets block
_CREDENTIALS = getattr(socket, "SO_PASSCRED", None)
_ROOM_FOR_THEM = 64  # of a struct ucred and its header, cmsg(3)
_UNIX = getattr(socket, "AF_UNIX", None)
_FAMILIES = {IPv4: socket.AF_INET, IPv6: socket.AF_INET6, Group: socket.AF_INET, UnixPath: _UNIX}


def aborted() -> ConnectionAbortedError:
    """What an operation on a closed socket ends with."""
    return ConnectionAbortedError(errno.ECONNABORTED, ABORTED)


def refused() -> ConnectionRefusedError:
    return ConnectionRefusedError(errno.ECONNREFUSED, os.strerror(errno.ECONNREFUSED))


def listener(address: Address, backlog: int, bounded: bool) -> socket.socket:
    """A listening socket. SO_REUSEADDR: a restarted node gets its port back despite TIME_WAIT."""
    raw = _bound(address, _connected_kind(bounded), socket.SO_REUSEADDR)
    try:
        raw.listen(backlog)
    except OSError:
        raw.close()
        raise
    return raw


def datagram(address: Address) -> socket.socket:
    """A bound, unconnected datagram socket. SO_REUSEADDR lets a group have several on one host (ip(7))."""
    if not isinstance(address, Group):
        return _bound(address, socket.SOCK_DGRAM)
    raw = _bound(address, socket.SOCK_DGRAM, socket.SO_REUSEADDR)
    try:
        membership = socket.inet_aton(address.host) + socket.inet_aton(socket.gethostbyname(address.interface))
        raw.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, membership)
    except OSError:
        raw.close()
        raise
    return raw


def connecting(address: Address, bounded: bool) -> socket.socket:
    """An unconnected socket for connecting to `address`."""
    raw = _made(address, _connected_kind(bounded))
    prompt(raw)
    return raw


def accepted(listener: socket.socket) -> tuple[socket.socket, Address]:
    """-> a connection and its peer. Raises OSError as accept(2) does."""
    raw, peer = listener.accept()
    prompt(raw)
    return raw, reader(raw)(peer)


def prompt(raw: socket.socket) -> None:
    """TCP_NODELAY, where there is TCP."""
    if raw.family in INTERNET:
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def plain(address: Address) -> Any:
    """As Python's sockets take it."""
    if isinstance(address, UnixPath):
        return address.path
    return address[:2] if isinstance(address, Group) else address


def reader(raw: socket.socket) -> Callable[[Any], Address]:
    """-> what makes an address of what Python's sockets of this family say."""
    return _READERS[raw.family]


def local_of(raw: socket.socket) -> Address:
    return reader(raw)(raw.getsockname())


def peer_of(raw: socket.socket) -> Address:
    """Raises OSError (ENOTCONN) if the socket is not connected, or no longer."""
    return reader(raw)(raw.getpeername())


def rest(data: Any, sent: int | None) -> memoryview:
    """What is left of any bytes-like object, whatever its own length counts, after so many bytes; None is no byte."""
    view = memoryview(data)
    return (view if view.nbytes == len(view) else view.cast("B"))[sent:]


def has_ended(raw: socket.socket) -> bool:
    """Whether the peer's end of a connection, or a reset, is all that there is to read."""
    try:
        return not raw.recv(1, socket.MSG_PEEK | _AT_ONCE) and not _sent_nothing(raw)
    except BlockingIOError:
        return False
    except OSError:
        return True


def _sent_nothing(raw: socket.socket) -> bool:
    """Whether what is read as nothing is a message of no bytes: that comes with its sender's credentials (unix(7),
    SO_PASSCRED), an end with nobody's."""
    if raw.type != MESSAGES or _CREDENTIALS is None:
        return False
    raw.setsockopt(socket.SOL_SOCKET, _CREDENTIALS, 1)
    try:
        return bool(raw.recvmsg(1, _ROOM_FOR_THEM, socket.MSG_PEEK | _AT_ONCE)[1])
    finally:
        raw.setsockopt(socket.SOL_SOCKET, _CREDENTIALS, 0)


def refuse_self(local: Address, peer: Address) -> None:
    """Raise ConnectionRefusedError for a connection of a socket to itself.

    Connecting to a local port where nobody listens can pick that very port as its own and then succeed by
    TCP's simultaneous open (RFC 9293, 3.5). A client that retries a dead server would talk to itself.
    """
    if local == peer:
        raise refused()


def _connected_kind(bounded: bool) -> socket.SocketKind:
    return socket.SOCK_SEQPACKET if bounded else socket.SOCK_STREAM


def _made(address: Address, kind: socket.SocketKind) -> socket.socket:
    family = _FAMILIES[type(address)]
    if family is None:
        raise OSError(errno.EAFNOSUPPORT, "this system's Python has no Unix domain sockets")
    return PathSocket(family, kind) if family == _UNIX else socket.socket(family, kind)


def _bound(address: Address, kind: socket.SocketKind, option: int | None = None) -> socket.socket:
    raw = _made(address, kind)
    try:
        if option is not None:
            raw.setsockopt(socket.SOL_SOCKET, option, 1)
        raw.bind(plain(address))
    except Exception:
        raw.close()
        raise
    return raw


def _path(told: str | bytes | None) -> UnixPath:
    return UnixPath(os.fsdecode(told or ""))


_READERS: dict[Any, Callable[[Any], Address]] = {
    socket.AF_INET: partial(tuple.__new__, IPv4),  # a quarter of what `_make` takes
    socket.AF_INET6: partial(tuple.__new__, IPv6),
    _UNIX: _path,
}
