"""PURE: a counter. Its final value equals the sum of its effects' amounts, which the evidence gate checks.

It counts in 64 bits, as its results have them: whatever amounts arrive, its process goes on.
"""

from __future__ import annotations

from typing import Any

from nodes.ops import Program
from nodes.rpc.serve import Execution
from nodes.wire.xdr import as_hyper


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
