"""PURE: what servers offer. A service is made from its ledger's state and implements one interface."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from nodes.rpc.interface import Interface
from nodes.rpc.interfaces import COUNTER, ECHO, REGISTER
from nodes.services.counter import Counter
from nodes.services.echo import Echo
from nodes.services.register import Register


class Service(NamedTuple):
    """`make(state)` gives the implementation; state is what its ledger holds, {} at first."""

    interface: Interface
    make: Callable[[dict[str, Any]], Any]


SERVICES = {
    "echo": Service(ECHO, Echo),
    "counter": Service(COUNTER, Counter),
    "register": Service(REGISTER, Register),
}
