"""PURE: a private subnet that nobody uses."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from ipaddress import IPv4Network

POOLS = (IPv4Network("10.0.0.0/8"), IPv4Network("198.18.0.0/15"))
"""For private use (RFC 1918), and for benchmarks (RFC 2544) where somebody routes all of that elsewhere."""
PREFIX = 22
"""Bits of a subnet's prefix: it has room for a thousand nodes."""


def routed(listing: str) -> list[IPv4Network]:
    """What `ip -j -4 route show table all` printed -> where this machine sends something, the default left out."""
    named = (route["dst"] for route in json.loads(listing))
    return [IPv4Network(destination, strict=False) for destination in named if destination != "default"]


def free(taken: Sequence[IPv4Network], start: int) -> Iterator[IPv4Network]:
    """The subnets that overlap none of `taken`, one after another. `start` is where to begin in each pool: two that
    choose at the same moment begin at different places."""
    for pool in POOLS:
        around = [network for network in taken if network.overlaps(pool)]
        yield from (subnet for subnet in _from(pool, start) if not _overlaps(subnet, around))


def _from(pool: IPv4Network, start: int) -> Iterator[IPv4Network]:
    count = 1 << (PREFIX - pool.prefixlen)
    size = 1 << (32 - PREFIX)
    for n in range(count):
        yield IPv4Network((int(pool.network_address) + (start + n) % count * size, PREFIX))


def _overlaps(subnet: IPv4Network, others: Iterable[IPv4Network]) -> bool:
    return any(subnet.overlaps(other) for other in others)
