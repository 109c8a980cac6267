"""PURE: the interfaces that our servers offer.

Program numbers are in the range that every site may use as it likes (RFC 5531 section 8.3).
"""

from __future__ import annotations

from nodes.rpc.interface import HELLO, NULL, Interface, Procedure
from nodes.wire.xdr import HYPER, Opaque

__all__ = ["COUNTER", "ECHO", "HELLO", "NULL", "REGISTER"]

PROGRAM = 0x20000000 + 0xFB0

ECHO = Interface("echo", PROGRAM, 1, (Procedure(2, "echo", (("data", Opaque()),), Opaque()),))
COUNTER = Interface(
    "counter",
    PROGRAM + 1,
    1,
    (
        Procedure(2, "add", (("amount", HYPER),), HYPER, effect=True),
        Procedure(3, "read", (), HYPER),
    ),
)
REGISTER = Interface(
    "register",
    PROGRAM + 2,
    1,
    (
        Procedure(2, "write", (("value", HYPER),), HYPER, effect=True),
        Procedure(3, "read", (), HYPER),
    ),
)
