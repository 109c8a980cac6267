"""PURE: echo, which has no effect: for engines and plumbing, never for delivery."""

from __future__ import annotations

from typing import Any, NamedTuple

from nodes.ops import Program
from nodes.rpc.interface import SITE_PROGRAMS, Interface, Procedure
from nodes.rpc.serve import Execution
from nodes.rpc.service import Model, Service
from nodes.wire.xdr import Opaque

ECHO = Interface("echo", SITE_PROGRAMS, 1, (Procedure(2, "echo", (("data", Opaque()),), Opaque()),))


class Echo:
    def __init__(self, state: dict[str, Any]) -> None:
        pass

    def echo(self, call: Execution, data: bytes) -> Program:
        yield from call.pause()
        return data


class Nothing(NamedTuple):
    """No state."""


SERVICE = Service(
    interface=ECHO,
    make=Echo,
    workloads={"echo": lambda intent: ("echo", intent.to_bytes(8, "big"))},
    model=Model(Nothing(), lambda state, _, data: (state, data), lambda kept, expected: None),
)
