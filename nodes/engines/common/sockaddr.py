"""Addresses as the kernel reads and writes them (ip(7), ipv6(7), unix(7)), for calls that Python has no wrapper of."""

from __future__ import annotations

import os
import socket
import struct
from functools import lru_cache

from nodes.ops import Address
from nodes.wire.addresses import IPv4, IPv6, UnixPath

SIZE = 128
"""Of struct sockaddr_storage, which has room for every kind."""

_FAMILY = struct.Struct("=H")
_INET = struct.Struct("!2xH4s8x")
_INET6 = struct.Struct("!2xHI16s4x")
_SCOPE = struct.Struct("=I")
_SCOPE_AT = 24
_PATH = slice(2, 110)


def encode(address: Address) -> bytes:
    """Its struct sockaddr. A name is looked up, each time. Raises what Python's sockets do: OSError (gaierror) and, for
    a number that has no room, OverflowError."""
    if isinstance(address, UnixPath):
        return _unix(os.fsencode(address.path))
    try:
        return _inet6(address) if isinstance(address, IPv6) else _named(*address[:2])
    except struct.error as error:
        raise OverflowError(f"{address}: {error}") from None


def _unix(path: bytes) -> bytes:
    name = path if path.startswith(b"\0") else path + b"\0"
    if len(name) > _PATH.stop - _PATH.start:
        raise OSError("AF_UNIX path too long")
    return _FAMILY.pack(socket.AF_UNIX) + name


def _named(host: str, port: int) -> bytes:
    try:
        return _inet(host or "0.0.0.0", port)
    except OSError:
        return _inet(socket.gethostbyname(host), port)


@lru_cache(maxsize=1024)
def _inet(host: str, port: int) -> bytes:
    return _of_family(socket.AF_INET, _INET.pack(port, socket.inet_pton(socket.AF_INET, host)))


@lru_cache(maxsize=1024)
def _inet6(address: IPv6) -> bytes:
    host, port, flow, scope = address
    packed = bytearray(_INET6.pack(port, flow, socket.inet_pton(socket.AF_INET6, host)))
    _SCOPE.pack_into(packed, _SCOPE_AT, scope)
    return _of_family(socket.AF_INET6, bytes(packed))


def _of_family(family: int, packed: bytes) -> bytes:
    return _FAMILY.pack(family) + packed[_FAMILY.size :]


def decode(raw: bytes) -> Address:
    """What `encode` made, or the kernel, cut to the length that it says: what begins with a zero byte may also end with
    some, and is another's name without them. No address is no path."""
    if len(raw) < _FAMILY.size:
        return UnixPath("")
    family = _FAMILY.unpack_from(raw)[0]
    if family == socket.AF_INET:
        port, packed = _INET.unpack_from(raw)
        return IPv4(socket.inet_ntop(socket.AF_INET, packed), port)
    if family == socket.AF_INET6:
        port, flow, packed = _INET6.unpack_from(raw)
        return IPv6(socket.inet_ntop(socket.AF_INET6, packed), port, flow, *_SCOPE.unpack_from(raw, _SCOPE_AT))
    return UnixPath(os.fsdecode(_name(bytes(raw[_PATH]))))


def _name(told: bytes) -> bytes:
    """Of a file system's a zero byte is the end."""
    return told if told.startswith(b"\0") else told.partition(b"\0")[0]
