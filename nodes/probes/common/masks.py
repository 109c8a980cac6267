"""PURE: the bits of poll(2) and epoll(7), and how an observation names them."""

from __future__ import annotations

IN, PRI, OUT, ERR, HUP, NVAL, RDHUP = 0x01, 0x02, 0x04, 0x08, 0x10, 0x20, 0x2000
EVERYTHING = IN | PRI | OUT | ERR | HUP | NVAL | RDHUP

_NAMES = {IN: "IN", PRI: "PRI", OUT: "OUT", ERR: "ERR", HUP: "HUP", NVAL: "NVAL", RDHUP: "RDHUP"}


def names(mask: int) -> list[str]:
    """What has no name is told as a number: nothing is swallowed."""
    known = [name for bit, name in _NAMES.items() if mask & bit]
    rest = mask & ~sum(_NAMES)
    return [*known, *([f"{rest:#x}"] if rest else [])]
