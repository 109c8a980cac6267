"""PURE: deliberately broken mechanisms, the negative controls of docs/semantics.md.

Each is one small change of a correct one, selected by a link's `variant`. The two that break the order of
writes (record-before-effect, effect-before-record) live in `transactions.py`, where that order is decided,
fence-ignored in the ledger, and those of a client in `nodes/drivers/variants.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nodes.ops import Program, ReplyRecord
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


class NewestAnswerOnly(Filtered):
    """Keeps one result for each client, the newest."""

    def complete(self, waiter: Waiter, value: Any) -> list[tuple[Waiter, Status]]:
        self.clients[waiter.header.client].results.clear()
        return super().complete(waiter, value)


class AnswerOfAnotherOperation(Filtered):
    """Answers a repeat with the client's newest result, whichever operation's it is."""

    def _filter(self, history: ClientHistory, waiter: Waiter) -> Arrival:
        arrival = super()._filter(history, waiter)
        if arrival.status is not Status.CACHED:
            return arrival
        return arrival._replace(value=history.results[max(history.results)])


class AnswerOfAnotherClient(Filtered):
    """Looks a repeat up by its number alone, and finds the first client's."""

    def _filter(self, history: ClientHistory, waiter: Waiter) -> Arrival:
        arrival = super()._filter(history, waiter)
        if arrival.status is not Status.CACHED:
            return arrival
        seq = waiter.header.seq
        found = min(client for client, history in self.clients.items() if seq in history.results)
        return arrival._replace(value=self.clients[found].results[seq])


class NoJoin(Filtered):
    """A copy that arrives while its operation executes is executed too."""

    def _filter(self, history: ClientHistory, waiter: Waiter) -> Arrival:
        arrival = super()._filter(history, waiter)
        return Arrival(Do.EXECUTE) if arrival.do is Do.WAIT else arrival

    def complete(self, waiter: Waiter, value: Any) -> list[tuple[Waiter, Status]]:
        self.clients[waiter.header.client].executing[waiter.header.seq] = [waiter]
        return super().complete(waiter, value)


class JoinAnswersNewest(Filtered):
    """When an operation was executed, only the last attempt that joined is answered."""

    def complete(self, waiter: Waiter, value: Any) -> list[tuple[Waiter, Status]]:
        return super().complete(waiter, value)[-1:]


class JoinAnswersElsewhere(Filtered):
    """What joined an execution is answered where the first call of all came from."""

    _first: Waiter | None = None

    def arrive(self, waiter: Waiter) -> Arrival:
        self._first = self._first or waiter
        return super().arrive(waiter)

    def complete(self, waiter: Waiter, value: Any) -> list[tuple[Waiter, Status]]:
        first, *joined = super().complete(waiter, value)
        return [first, *((other._replace(peer=self._first.peer), status) for other, status in joined if self._first)]


class HelloResets(Filtered):
    """Takes a client that introduces itself for a new one, and forgets all of it but what it is executing."""

    def hello(self, client: int) -> None:
        executing = self.clients[client].executing if client in self.clients else {}
        self.clients[client] = ClientHistory()
        self.clients[client].executing = executing


class HelloNotDurable(Filtered):
    """Keeps no record of a hello: who had no call committed yet is unknown after a restart."""

    def record(self, header: CallHeader, value: Any) -> ReplyRecord | None:
        return super().record(header, value) if header.seq else None


class TrimMarkForgotten(Filtered):
    """After a restart it has the records, and does not know below which number it had forgotten them."""

    def _recover(self, record: ReplyRecord) -> None:
        super()._recover(record._replace(first=0))


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
    yield from ()
    return result


class Paused:
    """What a procedure sees of a call that has waited already."""

    def __init__(self, execution: Any) -> None:
        self.commit = execution.commit

    def pause(self) -> Program:
        yield from ()


class StaticArguments(Skeleton):
    """Unmarshals the arguments of a procedure into one place that all its calls share, and reads them after a pause."""

    def __init__(self, service: Service, implementation: Any) -> None:
        super().__init__(service.interface, implementation)
        self._place: dict[int, tuple[Any, ...]] = {}

    def call(self, procedure: Procedure, execution: Any, arguments: tuple[Any, ...]) -> Program:
        self._place[procedure.number] = arguments
        yield from execution.pause()
        return (yield from super().call(procedure, Paused(execution), self._place[procedure.number]))


class LostUpdate(Skeleton):
    """Reads the service's state before a call waits and goes on with that: what others changed meanwhile is lost."""

    def __init__(self, service: Service, implementation: Any) -> None:
        super().__init__(service.interface, implementation)
        self._state = vars(implementation)

    def call(self, procedure: Procedure, execution: Any, arguments: tuple[Any, ...]) -> Program:
        before = dict(self._state)
        yield from execution.pause()
        self._state.update(before)
        return (yield from super().call(procedure, Paused(execution), arguments))


SKELETONS: dict[str, Callable[[Service, Any], Skeleton]] = {
    "cold-replica": ColdReplica,
    "static-arguments": StaticArguments,
    "lost-update": LostUpdate,
}
FILTERS: dict[str, type[Filtered]] = {
    "no-duplicate-filter": NoDuplicateFilter,
    "high-water-filter": HighWaterFilter,
    "forgets-too-early": ForgetsTooEarly,
    "newest-answer-only": NewestAnswerOnly,
    "answer-of-another-operation": AnswerOfAnotherOperation,
    "answer-of-another-client": AnswerOfAnotherClient,
    "no-join": NoJoin,
    "join-answers-newest": JoinAnswersNewest,
    "join-answers-elsewhere": JoinAnswersElsewhere,
    "hello-resets": HelloResets,
    "hello-not-durable": HelloNotDurable,
    "trim-mark-forgotten": TrimMarkForgotten,
    "incarnation-ignored": IncarnationIgnored,
}
