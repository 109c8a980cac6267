"""How many sockets a link may have at once: what is beyond is refused, so that no flood ends the process."""

from __future__ import annotations

from nodes import descriptors

RESERVED = 32
"""Descriptors that are no link's: standard streams, the journal, the control connection, and what libraries open."""
OF_A_LINK = 4
"""Descriptors that a link needs before anybody calls: a listener and its port's keeper, or a socket on either side."""
OF_A_CONNECTION = 2
"""Of a stream: one socket towards the client, one towards the server."""
LARGEST = 4096
"""Sockets of one link where the system sets no lower limit: each costs a few KiB here, and buffers in the kernel."""
LEAST = 8


def sockets_of_a_link(links: int) -> int:
    """Each of that many links may have so many, by the limit of descriptors that this process has (RLIMIT_NOFILE)."""
    limit = descriptors.limit()
    if limit is None:
        return LARGEST
    return max(LEAST, min(LARGEST, (limit - RESERVED) // max(1, links) - OF_A_LINK))


def descriptors_for(links: int, sockets: int) -> int:
    """The limit by which each of that many links may have so many sockets; 0 where any limit will do."""
    return 0 if sockets <= LEAST else RESERVED + links * (OF_A_LINK + sockets)
