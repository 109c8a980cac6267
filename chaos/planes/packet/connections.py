"""PURE: the TCP connections of a network namespace, as its kernel lists them (proc_pid_net(5), "/proc/net/tcp")."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from ipaddress import IPv4Address
from typing import NamedTuple

COMMAND = ("cat", "/proc/net/tcp")
ESTABLISHED = "01"
"""TCP_ESTABLISHED of the kernel's include/net/tcp_states.h."""


class Peer(NamedTuple):
    """The client's end of one connection."""

    address: str
    port: int


def peers(listing: str, address: str, port: int) -> list[Peer]:
    """Who has an established connection to a server, in the order of address and port.

    The kernel tells no times, so there is no order of opening.
    """
    found = [peer for end, peer in _established(listing) if end == Peer(address, port)]
    return sorted(found, key=lambda peer: (IPv4Address(peer.address), peer.port))


def _established(listing: str) -> Iterator[tuple[Peer, Peer]]:
    """(local, remote) of each."""
    for line in listing.splitlines()[1:]:
        _, local, remote, state, *_ = line.split()
        if state == ESTABLISHED:
            yield _end(local), _end(remote)


def _end(text: str) -> Peer:
    """The address is printed as an integer of the host's byte order, the port as a number."""
    address, port = text.split(":")
    return Peer(str(IPv4Address(int(address, 16).to_bytes(4, sys.byteorder))), int(port, 16))
