"""PURE: a register with versions: a write answers its version, so that no two executions answer alike."""

from __future__ import annotations

from typing import Any

from nodes.ops import Program
from nodes.rpc.serve import Execution


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
