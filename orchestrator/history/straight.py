"""PURE: whether nothing happened to an operation, as to most operations of a long run.

Such a one answers for itself most of what checkers ask, and they need not ask it. It had one attempt, one message each
way, one execution, and these in this order:

    invoke, attempt, send, (pass,) receive, execute, (commit,) answer, (pass,) reply, ok, (row)

What was executed is what was invoked; what was answered, replied and told is what was executed, or committed and
written to the ledger, by the process that received it. Each says `executed`, of attempt 1; the request arrived as it
was sent, a reply came on the line of its request, and a hop passed each once, on the link on which it was received.

Where a fault loses replies, one goes as the other: to each of those (orchestrator/history/repeated.py) the same
happened.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from nodes.services import has_effect
from nodes.wire.header import Status
from nodes.wire.record import Kind
from orchestrator.history.merged import Row


class Place(NamedTuple):
    """Where it was: its client's process, the process that served it, its link, who passed it on there ("": nobody),
    and to which server it was bound."""

    node: str
    process: int
    server: str
    epoch: int
    link: Any
    hop: str
    bound: Any


class Lost(NamedTuple):
    """What became of the first reply: lost by the fault of this number, and whether its client left the line."""

    rule: int
    left: bool


class Course(NamedTuple):
    """How it went: the orders of its events; what it said to be its client's first incomplete number, what it was for,
    the procedure and the argument; the number of its row and the result, and the row's order, 0 without an effect.

    `lost` if its first reply was, and then `again` is the order at which its repeat was received.
    """

    place: Place
    invoked: int
    sent: int
    received: int
    completed: int
    first: Any
    intent: Any
    asked: tuple[Any, Any]
    number: Any
    result: Any
    row: int = 0
    again: int = 0
    lost: Lost | None = None

    @property
    def has_effect(self) -> bool:
        return has_effect(self.asked[0])

    def wrote(self, row: Row) -> bool:
        """Whether it is the row of its effect."""
        return is_row(row, self.place, self.number, self.result, self.intent)


class _Form(NamedTuple):
    """The client's first three events, who `passed` it on, the server's from `first` until `last`, and back."""

    passed: bool
    committed: bool
    first: int
    last: int
    attempts: tuple[int, ...]


def _form(hop: tuple[Kind, ...], served: tuple[Kind, ...]) -> tuple[tuple[Kind, ...], _Form]:
    kinds = (*_CALL, *hop, *served, *hop, *_END)
    first = 3 + len(hop)
    attempts = (0, *(1 for _ in kinds[1:-1]), 0)
    return kinds, _Form(bool(hop), Kind.COMMIT in served, first, first + len(served), attempts)


_CALL, _END = (Kind.INVOKE, Kind.ATTEMPT, Kind.SEND), (Kind.REPLY, Kind.OK)
_SERVED = ((Kind.RECEIVE, Kind.EXECUTE, Kind.ANSWER), (Kind.RECEIVE, Kind.EXECUTE, Kind.COMMIT, Kind.ANSWER))
_FORMS = dict(_form(hop, served) for hop in ((), (Kind.DECISION,)) for served in _SERVED)


def course(events: Sequence[Row]) -> Course | None:
    """Of the events of one operation in order, up to its completion: None if anything happened to it."""
    if not events:
        return None
    orders, _, _, nodes, epochs, kinds, _, _, attempts, processes, details = zip(*events, strict=True)
    form = _FORMS.get(kinds)
    if form is None:
        return None
    if attempts != form.attempts or not _in_place(form, nodes, epochs, processes):
        return None
    asked, _, sent, *_, end = details
    value, first = end.get("value"), form.first
    commit = details[form.last - 2] if form.committed else {"n": 0, "result": value}
    if commit.get("result") != value or not isinstance(commit.get("n"), int) or not _agree(form, details):
        return None
    hop, link = nodes[3] if form.passed else "", details[first].get("link")
    place = Place(nodes[0], processes[0], nodes[first], epochs[first], link, hop, sent.get("server"))
    call = asked.get("f", ""), asked.get("value")
    said, intent = sent["first"], asked.get("intent")
    return Course(place, orders[0], orders[2], orders[first], orders[-1], said, intent, call, commit["n"], value)


def _in_place(form: _Form, nodes: Sequence[str], epochs: Sequence[int], processes: Sequence[int]) -> bool:
    """All of the client is of one process of it, all of the server of one epoch, and the hop is the same both ways."""
    passed, _, first, last, _ = form
    node, process, server, epoch = nodes[0], processes[0], nodes[first], epochs[first]
    hop, served = nodes[3:first], last - first
    return (
        nodes == (node, node, node, *hop, *(server,) * served, *hop, node, node)
        and processes == (process, process, process, *(0,) * (last - 3 + passed), process, process)
        and epochs[first:last] == (epoch,) * served
    )


def _agree(form: _Form, details: Sequence[dict[str, Any]]) -> bool:
    """What each said is what the others did."""
    asked, begun, sent, *_, reply, end = details
    passed, committed, first, last, _ = form
    received, executed, answer = details[first], details[first + 1], details[last - 1]
    link = received.get("link")
    return (
        asked == executed
        and begun.get("wait").__class__ is int
        and as_sent(sent, received)
        and _as_answered(answer, reply, end.get("value"))
        and reply.get("connection") == sent.get("connection")
        and "connection" in answer
        and answer["connection"] == received.get("connection")
        and (not passed or (was_passed(details[3], link, "request") and was_passed(details[last], link, "reply")))
        and has_effect(asked.get("f", "")) == committed
    )


def is_row(row: Row, place: Place, number: Any, result: Any, intent: Any) -> bool:
    """Whether it is the row of an effect: of that number, by that server, for that intent, with that result."""
    _, _, _, node, epoch, _, _, _, attempt, process, detail = row
    return (
        (node, epoch, attempt, process) == (place.server, place.epoch, 1, 0)
        and detail.get("epoch") == epoch
        and detail.get("n") == number
        and detail.get("result") == result
        and detail.get("intent") == intent
        and isinstance(detail.get("ledger"), str)
    )


def as_sent(sent: dict[str, Any], received: dict[str, Any]) -> bool:
    said = sent.get("first")
    return said is not None and said == received.get("first") and sent.get("server") == received.get("server")


def _as_answered(answer: dict[str, Any], reply: dict[str, Any], value: object) -> bool:
    said = answer.get("status") == reply.get("status") == Status.EXECUTED
    return said and answer.get("value") == value and reply.get("value") == value


def was_passed(decision: dict[str, Any], link: object, direction: str) -> bool:
    return decision.get("rule", 0) is None and was_decided(decision, "pass", link, direction)


def was_decided(decision: dict[str, Any], act: str, link: object, direction: str) -> bool:
    """On the first copy."""
    return (
        decision.get("act") == act
        and decision.get("occurrence") == 1
        and decision.get("link") == link
        and decision.get("direction") == direction
    )
