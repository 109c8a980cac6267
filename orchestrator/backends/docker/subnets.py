"""PURE: which subnet a network of ours gets: an explicit one, since the engine's own pools have about 30 only."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from ipaddress import IPv4Address, IPv4Network

POOL = IPv4Network("10.208.0.0/12")
PREFIX = 22
"""A network has about a thousand addresses; the pool, as many networks."""


def free_subnets(taken: Iterable[IPv4Network], start: int) -> Iterator[IPv4Network]:
    """Subnets of POOL that overlap none of `taken`, beginning with the `start`-th, once round."""
    occupied = [network for network in taken if network.overlaps(POOL)]
    count: int = 1 << (PREFIX - POOL.prefixlen)
    for number in range(start, start + count):
        first = int(POOL.network_address) + (number % count << (POOL.max_prefixlen - PREFIX))
        subnet = IPv4Network((first, PREFIX))
        if not any(subnet.overlaps(network) for network in occupied):
            yield subnet


def routed(table: str) -> list[IPv4Network]:
    """The networks that this host has routes to, the default route excepted, from /proc/net/route (proc(5)).

    Addresses there are hexadecimal, in the byte order of the machine, which is little-endian wherever Docker runs.
    """
    found = []
    for line in table.splitlines()[1:]:
        fields = line.split()
        destination, mask = (int.from_bytes(bytes.fromhex(fields[i]), "little") for i in (1, 7))
        if mask:
            found.append(IPv4Network((destination, mask.bit_count())))
    return found


class Addresses:
    """Gives a subnet's addresses in turn, so that one is used again as late as possible: neighbours' ARP caches may
    still have its last owner. The first one is the gateway's, the last one is nobody's."""

    def __init__(self, subnet: IPv4Network) -> None:
        self.subnet = subnet
        self.gateway = subnet[1]
        self.nobody = subnet[-2]
        self._used: set[IPv4Address] = set()
        self._next = 2

    def take(self) -> IPv4Address:
        """Raises LookupError when all are in use."""
        size = self.subnet.num_addresses
        for offset in range(size - 4):
            index = 2 + (self._next - 2 + offset) % (size - 4)  # neither network, gateway, nobody nor broadcast
            if self.subnet[index] not in self._used:
                self._next = index + 1
                self._used.add(self.subnet[index])
                return self.subnet[index]
        raise LookupError(f"every address of {self.subnet} is in use")

    def give_back(self, address: IPv4Address) -> None:
        self._used.discard(address)
