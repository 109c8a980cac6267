"""PURE: who sends datagrams on a link. Each address has a number, which is never used again."""

from __future__ import annotations

from collections import OrderedDict

from nodes.wire.addresses import Internet

IDLE = 30_000_000_000
"""Nanoseconds without a datagram either way, after which a source may be forgotten for another one. Longer than any
client of ours waits for a reply, and what it sends later gets a new number."""


class Sources:
    """The least recently heard is the first to be forgotten. Times are nanoseconds of the caller's clock."""

    def __init__(self) -> None:
        self._numbers: OrderedDict[Internet, int] = OrderedDict()
        self._addresses: dict[int, Internet] = {}
        self._heard: dict[int, int] = {}
        self._count = 0

    def __len__(self) -> int:
        return len(self._numbers)

    def number(self, address: Internet) -> int | None:
        return self._numbers.get(address)

    def address(self, number: int) -> Internet | None:
        """None: it was forgotten."""
        return self._addresses.get(number)

    def add(self, address: Internet, now: int) -> int:
        self._count += 1
        self._numbers[address] = self._count
        self._addresses[self._count] = address
        self._heard[self._count] = now
        return self._count

    def heard(self, number: int, now: int) -> None:
        """A datagram came from it, or for it."""
        address = self._addresses.get(number)
        if address is not None:
            self._numbers.move_to_end(address)
            self._heard[number] = now

    def idle(self, now: int) -> int | None:
        """The number of the one that may be forgotten."""
        number = next(iter(self._numbers.values()), None)
        return number if number is not None and now - self._heard[number] >= IDLE else None

    def forget(self, number: int) -> None:
        del self._numbers[self._addresses.pop(number)]
        del self._heard[number]
