"""PURE: the broken variants of a client, as nodes/rpc/variants.py has those of a server."""

from __future__ import annotations

from nodes.drivers import Operation
from nodes.drivers.lines import Line
from nodes.drivers.rpc import RpcDriver
from nodes.ops import Program
from nodes.rpc.calls import Call, End, Outcome


class UnknownAsFail(RpcDriver):
    """Calls an unknown outcome a failure."""

    def invoke(self, operation: Operation) -> Program:
        outcome: Outcome = yield from super().invoke(operation)
        return outcome._replace(end=End.FAIL) if outcome.end is End.INFO else outcome


class Rebinds(RpcDriver):
    """Binds every attempt to the server that it knows by then, not the call to that of its first attempt."""

    def _send(self, call: Call, line: Line, deadline: int) -> Program:
        call.handed = False
        return super()._send(call, line, deadline)


class ArgumentChanged(RpcDriver):
    """Marshals the argument again for each attempt, after something has changed it."""

    def _send(self, call: Call, line: Line, deadline: int) -> Program:
        if call.attempt > 1:
            call.arguments = tuple(argument + 1 for argument in call.arguments)
        return super()._send(call, line, deadline)


class IntentForgotten(RpcDriver):
    """Says in its first attempt only what the call is for."""

    def _send(self, call: Call, line: Line, deadline: int) -> Program:
        if call.attempt > 1:
            call.intent = 0
        return super()._send(call, line, deadline)


DRIVERS: dict[str, type[RpcDriver]] = {
    "unknown-as-fail": UnknownAsFail,
    "rebinds": Rebinds,
    "argument-changed": ArgumentChanged,
    "intent-forgotten": IntentForgotten,
}
