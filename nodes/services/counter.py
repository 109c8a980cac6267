"""PURE: a counter. Its final value equals the sum of its effects' amounts.

It counts in 64 bits, as its results have them: whatever amounts arrive, its process goes on.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from nodes.ops import Program
from nodes.rpc.interface import SITE_PROGRAMS, Interface, Procedure
from nodes.rpc.serve import Execution
from nodes.rpc.service import Model, Service
from nodes.wire.xdr import HYPER, as_hyper

COUNTER = Interface(
    "counter",
    SITE_PROGRAMS + 1,
    1,
    (
        Procedure(2, "add", (("amount", HYPER),), HYPER, effect=True),
        Procedure(3, "read", (), HYPER),
    ),
)


class Counter:
    def __init__(self, state: dict[str, Any]) -> None:
        self.total: int = state.get("total", 0)

    def add(self, call: Execution, amount: int) -> Program:
        yield from call.pause()
        # Before the commit's yield: nothing may run in between that reads the old value.
        total = self.total = as_hyper(self.total + amount)
        yield from call.commit(total, {"total": total})
        return total

    def read(self, call: Execution) -> Program:
        yield from call.pause()
        return self.total


class Counted(NamedTuple):
    total: int = 0


def step(state: Counted, procedure: str, argument: Any) -> tuple[Counted, int]:
    total = as_hyper(state.total + argument) if procedure == "add" else state.total
    return Counted(total), total


def difference(kept: Counted, expected: Counted) -> str | None:
    if kept == expected:
        return None
    return f"the counter's value is {kept.total}, its rows sum to {expected.total}"


SERVICE = Service(
    interface=COUNTER,
    make=Counter,
    workloads={"add": lambda intent: ("add", 1)},
    model=Model(Counted(), step, difference),
)
