"""PURE: the transports, a row each. Whoever has to treat one in another way asks its row, never its name."""

from __future__ import annotations

import struct
import sys
from typing import Literal, NamedTuple

AddressKind = Literal["internet", "group", "path"]
"""Of nodes/wire/addresses.py: IPv4 and IPv6, Group, UnixPath."""

NO_LINGER = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)
"""struct linger: a close sends a reset, and throws away what was not sent (socket(7), SO_LINGER; Winsock's has two
shorts)."""


class Transport(NamedTuple):
    """`number`: IANA, "Protocol Numbers"; 0 for what stays on one host."""

    connected: bool
    """Over a connection, which can be refused, end and be cut, and on which each side reads what the other sent."""
    ordered: bool
    """What arrives does so once, and in the order of sending, and it is not lost while both ends are there."""
    bounded: bool
    """A message comes whole or not at all, and has a largest size; else bytes come, split and joined anyhow."""
    address: AddressKind
    number: int


TRANSPORTS = {
    "udp": Transport(connected=False, ordered=False, bounded=True, address="internet", number=17),
    "tcp": Transport(connected=True, ordered=True, bounded=False, address="internet", number=6),
    "multicast": Transport(connected=False, ordered=False, bounded=True, address="group", number=17),
    "unix-stream": Transport(connected=True, ordered=True, bounded=False, address="path", number=0),
    "unix-datagram": Transport(connected=False, ordered=True, bounded=True, address="path", number=0),
    "unix-seqpacket": Transport(connected=True, ordered=True, bounded=True, address="path", number=0),
}
LINKS = tuple(name for name, row in TRANSPORTS.items() if row.address == "internet")
"""Those that a link of calls can have, wherever they are, and that planes stand in the way of."""
TO_GROUPS = tuple(name for name, row in TRANSPORTS.items() if row.address == "group")
"""Those on which one message goes to several servers. A relay's hop stands before each of them."""
OF_ONE_HOST = tuple(name for name, row in TRANSPORTS.items() if row.address == "path")
"""Those whose both ends are on one host, where no plane stands between them."""
STREAMS = tuple(name for name in LINKS if not TRANSPORTS[name].bounded)
