"""Addresses as the kernel reads and writes them, for system calls that Python has no wrapper of (ip(7), ipv6(7))."""

from __future__ import annotations

import socket
import struct
from functools import lru_cache

from nodes.engines.common import sockets
from nodes.ops import Address

SIZE = 128
"""Of struct sockaddr_storage, which has room for every kind."""

_FAMILY = struct.Struct("=H")
_INET = struct.Struct("!2xH4s8x")
_INET6 = struct.Struct("!2xH4x16s4x")


def encode(address: Address) -> bytes:
    """A struct sockaddr_in or sockaddr_in6. A name is looked up, each time. Raises OSError (gaierror)."""
    kind = sockets.family(address)
    host, port = address
    try:
        return _literal(kind, host or "0.0.0.0", port)
    except OSError:
        return _literal(kind, socket.gethostbyname(host), port)


@lru_cache(maxsize=1024)
def _literal(kind: socket.AddressFamily, host: str, port: int) -> bytes:
    layout = _INET6 if kind is socket.AF_INET6 else _INET
    packed = bytearray(layout.pack(port, socket.inet_pton(kind, host)))
    _FAMILY.pack_into(packed, 0, kind)
    return bytes(packed)


def decode(raw: bytes) -> Address:
    """What `encode` made, or the kernel; `raw` may be longer than its address."""
    kind = _FAMILY.unpack_from(raw)[0]
    port, packed = (_INET6 if kind == socket.AF_INET6 else _INET).unpack_from(raw)
    return socket.inet_ntop(kind, packed), port
