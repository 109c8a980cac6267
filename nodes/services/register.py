"""PURE: a register with versions: a write answers its version, so that no two executions answer alike."""

from __future__ import annotations

from typing import Any, NamedTuple

from nodes.ops import Program
from nodes.rpc.interface import SITE_PROGRAMS, Interface, Procedure
from nodes.rpc.serve import Execution
from nodes.rpc.service import Model, Service
from nodes.wire.xdr import HYPER

REGISTER = Interface(
    "register",
    SITE_PROGRAMS + 2,
    1,
    (
        Procedure(2, "write", (("value", HYPER),), HYPER, effect=True),
        Procedure(3, "read", (), HYPER),
    ),
)


class Register:
    def __init__(self, state: dict[str, Any]) -> None:
        self.value: int = state.get("value", 0)
        self.version: int = state.get("version", 0)

    def write(self, call: Execution, value: int) -> Program:
        yield from call.pause()
        self.value = value
        self.version += 1
        version = self.version
        yield from call.commit(version, {"value": value, "version": version})
        return version

    def read(self, call: Execution) -> Program:
        yield from call.pause()
        return self.value


class Written(NamedTuple):
    value: int = 0
    version: int = 0


def step(state: Written, procedure: str, argument: Any) -> tuple[Written, int]:
    if procedure == "read":
        return state, state.value
    return Written(argument, state.version + 1), state.version + 1


def difference(kept: Written, expected: Written) -> str | None:
    if kept == expected:
        return None
    if kept.version == expected.version:
        return f"the register's value is {kept.value}, its last row wrote {expected.value}"
    return f"the register's version is {kept.version}, it has {expected.version} rows"


SERVICE = Service(
    interface=REGISTER,
    make=Register,
    workloads={
        "write": lambda intent: ("write", intent),
        "write-read": lambda intent: ("write", intent) if intent % 2 else ("read", None),
    },
    model=Model(Written(), step, difference),
)
