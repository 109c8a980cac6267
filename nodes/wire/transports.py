"""PURE: the transports, a row each. Whoever has to treat one in another way asks its row, never its name."""

from __future__ import annotations

from typing import NamedTuple


class Transport(NamedTuple):
    """`number`: IANA, "Protocol Numbers"."""

    datagrams: bool
    """Whether a message comes whole or not at all, over no connection; else bytes come, in their order, over one."""
    number: int


TRANSPORTS = {"udp": Transport(datagrams=True, number=17), "tcp": Transport(datagrams=False, number=6)}


def datagrams(transport: str) -> bool:
    return TRANSPORTS[transport].datagrams
