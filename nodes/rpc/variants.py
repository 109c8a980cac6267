"""PURE: deliberately broken mechanisms, the negative controls of docs/semantics.md.

Each is one small change of a correct one, selected by a link's `variant`. The two that break the order of
writes (record-before-effect, effect-before-record) live in `transactions.py`, where that order is decided,
fence-ignored in the ledger, and unknown-as-fail in the client's harness.
"""

from __future__ import annotations

from typing import Any

from nodes.ops import Program
from nodes.rpc.interface import Procedure, Skeleton
from nodes.rpc.mechanism import Arrival, ClientHistory, Do, Filtered, Waiter
from nodes.rpc.service import Service
from nodes.wire.header import CallHeader, Status


class NoDuplicateFilter(Filtered):
    """Every copy is executed, though the mechanism claims to filter."""

    def _filter(self, history: ClientHistory, waiter: Waiter) -> Arrival:
        history.executing.setdefault(waiter.header.seq, []).append(waiter)
        return Arrival(Do.EXECUTE)

    def complete(self, waiter: Waiter, value: Any) -> list[tuple[Waiter, Status]]:
        return [(waiter, Status.EXECUTED)]


class HighWaterFilter(Filtered):
    """Remembers only the highest number of a client: a lower one that comes later is taken for a repeat."""

    def _filter(self, history: ClientHistory, waiter: Waiter) -> Arrival:
        seq = waiter.header.seq
        seen = max((*history.results, *history.executing), default=0)
        if seq < seen and seq not in history.results and seq not in history.executing:
            return Arrival(Do.ANSWER, Status.STALE)
        return super()._filter(history, waiter)


class ForgetsTooEarly(Filtered):
    """Forgets a result as soon as it was sent, instead of when the client says that it has it."""

    def complete(self, waiter: Waiter, value: Any) -> list[tuple[Waiter, Status]]:
        waiting = super().complete(waiter, value)
        client, seq = waiter.header.client, waiter.header.seq
        if self.clients[client].results.pop(seq, None) is not None:
            self.trimmed(client, seq + 1)
        return waiting


class IncarnationIgnored(Filtered):
    """Does not compare what a call is bound to."""

    def _refuses(self, header: CallHeader, history: ClientHistory | None) -> bool:
        return False


class ColdReplica(Skeleton):
    """Answers what has no effect from a replica in memory, which hears of every other call, and is empty after a
    restart."""

    def __init__(self, service: Service, implementation: Any) -> None:
        super().__init__(service.interface, implementation)
        self._procedures = service.interface.procedures
        self._step = service.model.step
        self._replica = service.model.init

    def call(self, procedure: Procedure, execution: Any, arguments: tuple[Any, ...]) -> Program:
        if procedure in self._procedures:
            self._replica, result = self._step(self._replica, procedure.name, *(arguments or (None,)))
            if not procedure.effect:
                return _answer(result)
        return super().call(procedure, execution, arguments)


def _answer(result: Any) -> Program:
    return result
    yield


FILTERS: dict[str, type[Filtered]] = {
    "no-duplicate-filter": NoDuplicateFilter,
    "high-water-filter": HighWaterFilter,
    "forgets-too-early": ForgetsTooEarly,
    "incarnation-ignored": IncarnationIgnored,
}
