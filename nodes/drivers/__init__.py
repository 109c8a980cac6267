"""The seam between the client's harness and the system it calls."""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

from nodes.ops import Program
from nodes.rpc.calls import Outcome


class Operation(NamedTuple):
    """What the harness asks for: `seq` numbers it within the client, `intent` outlives the client.

    `waited`: at a gate, so that what has come to the client meanwhile must count before it is sent.
    """

    seq: int
    intent: int
    f: str
    value: Any
    waited: bool = False


class DriverFailed(Exception):
    """The driver itself hangs, died or cannot be understood: the testbed's failure, not an operation's outcome."""


class Driver(Protocol):
    """Turns operations into calls on a system. Every method is a program; retransmission is the driver's affair."""

    def open(self) -> Program:
        """Before the first operation."""

    def begin(self, operation: Operation) -> None:
        """The operation is open from now on. Called in the order of numbers, before any of its programs runs: what
        another operation says of the client's open ones meanwhile counts this one."""

    def invoke(self, operation: Operation) -> Program:
        """-> Outcome. An error that the driver does not know is the harness's to call `info`."""

    def finish(self) -> Program:
        """End what is open: settling is over."""

    def close(self) -> Program:
        """After the last operation."""


__all__ = ["Driver", "DriverFailed", "Operation", "Outcome"]
