"""PURE: where a socket is: a value, whose kind says what sockets can be there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple


class IPv4(NamedTuple):
    """`host` may be a name, which is looked up when it is used. Port 0 lets the system choose."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


class IPv6(NamedTuple):
    """`flow` and `scope` as in struct sockaddr_in6 (ipv6(7))."""

    host: str
    port: int
    flow: int = 0
    scope: int = 0

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}"


class Group(NamedTuple):
    """A multicast group of IPv4 (RFC 1112), as the interface with that address hears it."""

    host: str
    port: int
    interface: str

    def __str__(self) -> str:
        return f"{self.host}:{self.port} at {self.interface}"


def group(number: int, port: int, interface: str) -> Group:
    """One of the 2^18 of the Organization Local Scope, 239.192.0.0/14 (RFC 2365), by the low bits of a number."""
    octets = [239, 192 + (number >> 16 & 3), number >> 8 & 255, number & 255]
    return Group(".".join(map(str, octets)), port, interface)


class UnixPath(NamedTuple):
    """A Unix domain socket (unix(7)). One that begins with a zero byte is in no file system; "" is nobody's."""

    path: str

    def beside(self, name: str) -> UnixPath:
        """What is answered from there: a path in the same folder; without a name in a file system, nobody's, which the
        system gives one (autobind)."""
        return UnixPath("" if self.path.startswith("\0") else f"{self.path}-{name}")

    def __str__(self) -> str:
        return self.path.replace("\0", "@", 1)


Internet = IPv4 | IPv6
Address = IPv4 | IPv6 | Group | UnixPath


def internet(host: str, port: int) -> Internet:
    """A literal with colons is IPv6; names and everything else are IPv4."""
    return IPv6(host, port) if ":" in host else IPv4(host, port)


def read(told: Sequence[Any]) -> Internet | UnixPath:
    """What `written` made of one of these."""
    return internet(*told) if len(told) > 1 else UnixPath(*told)


def written(address: Address) -> list[Any]:
    """As journals and control messages have it: [host, port], or [path]."""
    return list(address[:2])
