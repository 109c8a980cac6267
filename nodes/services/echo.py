"""PURE: echo, which has no effect: for engines and plumbing, never for delivery."""

from __future__ import annotations

from typing import Any

from nodes.ops import Program
from nodes.rpc.serve import Execution


class Echo:
    def __init__(self, state: dict[str, Any]) -> None:
        pass

    def echo(self, call: Execution, data: bytes) -> Program:
        yield from call.pause()
        return data
