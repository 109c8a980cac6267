"""PURE: whether an operation lost its first reply to a fault and got its result by its repeat, and nothing else.

Such ones go as one another: what one of them shows all do (orchestrator/checkers/setting.py). They have these, in this
order, and what is said of straight ones (orchestrator/history/straight.py) holds for each of the two attempts:

    invoke, attempt, send, pass, receive, execute, commit, answer, drop,
    (end,) attempt, send, pass, receive, answer, pass, reply, ok, (row)

The repeat came to the same process and was answered `cached`, with the result; its client had waited for the first
reply in vain, and left that line if it took another one. Meanwhile it did nothing else (`alone`), so that no other
call shared a line with it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from nodes.services import has_effect
from nodes.wire.header import Status
from nodes.wire.record import COMPLETIONS, Kind
from orchestrator.history.merged import Event, Operation, Row
from orchestrator.history.straight import Course, Lost, Place, as_sent, was_decided, was_passed

_FIRST = (Kind.INVOKE, Kind.ATTEMPT, Kind.SEND, Kind.DECISION)
_SERVED = (Kind.RECEIVE, Kind.EXECUTE, Kind.COMMIT, Kind.ANSWER, Kind.DECISION)
_SECOND = (Kind.ATTEMPT, Kind.SEND, Kind.DECISION, Kind.RECEIVE, Kind.ANSWER, Kind.DECISION, Kind.REPLY, Kind.OK)
_ENDS = {(*_FIRST, *_SERVED, *end, *_SECOND): len(end) for end in ((), (Kind.END,))}
"""Kinds of such an operation -> how many lines its client left."""
_ATTEMPTS = {ends: (0, *(1,) * (8 + ends), *(2,) * 7, 0) for ends in _ENDS.values()}
Details = Sequence[dict[str, Any]]
_NUMBERED = ("connection", "first", "server")


def repeated(events: Sequence[Row]) -> Course | None:
    """Of the events of one operation in order, up to its completion: None if anything else happened to it."""
    ends = _ENDS.get(tuple([event[5] for event in events]))
    if ends is None:
        return None
    orders, _, _, nodes, epochs, _, _, _, attempts, processes, details = zip(*events, strict=True)
    node, process, hop, server, epoch = nodes[0], processes[0], nodes[3], nodes[4], epochs[4]
    again, between = 12 + ends, (node,) * (2 + ends)
    if (
        attempts != _ATTEMPTS[ends]
        or nodes != (node, node, node, hop, *(server,) * 4, hop, *between, hop, server, server, hop, node, node)
        or processes != (*(process,) * 3, *(0,) * 6, *(process,) * (2 + ends), *(0,) * 4, process, process)
        or epochs[4:8] != (epoch,) * 4
        or epochs[again : again + 2] != (epoch,) * 2
    ):
        return None
    first, second, end = details[:9], details[9 + ends : -1], details[9 : 9 + ends]
    rule = _lost(first, second, end, details[-1].get("value"))
    if rule is None:
        return None
    asked, sent, received, commit = first[0], first[2], first[4], first[6]
    place = Place(node, process, server, epoch, received["link"], hop, sent["server"])
    numbers = orders[0], orders[2], orders[4], orders[-1]
    call, told = (asked["f"], asked.get("value")), (commit["n"], commit["result"])
    lost = Lost(rule, bool(ends))
    return Course(place, *numbers, sent["first"], asked.get("intent"), call, *told, again=orders[again], lost=lost)


class Alone:
    """Which operations were open while another one of their client was."""

    def __init__(self) -> None:
        self._open: dict[int, set[int]] = defaultdict(set)
        self._crowded: set[Operation] = set()

    def begin(self, client: int, seq: int) -> None:
        mates = self._open[client]
        if mates:
            self._crowded.add((client, seq))
            if len(mates) == 1:  # of several each has been open beside another
                self._crowded.update((client, mate) for mate in mates)
        mates.add(seq)

    def end(self, client: int, seq: int) -> bool:
        """Whether it was alone."""
        self._open[client].discard(seq)
        if (client, seq) in self._crowded:
            self._crowded.remove((client, seq))
            return False
        return True


def alone_of(operations: Mapping[Operation, Sequence[Event]]) -> set[Operation]:
    """Those of them that were."""
    found, alone = set(), Alone()
    steps = [(events[0].order, False, operation) for operation, events in operations.items() if events]
    for operation, events in operations.items():
        steps += [(event.order, True, operation) for event in events if event.kind in COMPLETIONS][:1]
    for _, ended, operation in sorted(steps):
        if not ended:
            alone.begin(*operation)
        elif alone.end(*operation):
            found.add(operation)
    return found


def _lost(first: Details, second: Details, end: Details, value: object) -> int | None:
    """Whose fault it was; None if something is not as it is to be."""
    asked, begun, sent, went, received, executed, commit, answer, lost = first
    begun_again, sent_again, went_again, received_again, cached, came, reply = second
    link = received.get("link")
    if not (
        asked == executed
        and has_effect(asked.get("f", ""))
        and _number(begun.get("wait"))
        and _number(begun_again.get("wait"))
        and _as_sent(sent, received)
        and _as_sent(sent_again, received_again)
        and (sent["first"], sent["server"]) == (sent_again["first"], sent_again["server"])
        and link == received_again.get("link")
        and _number(commit.get("n"))
        and commit.get("result") == value
        and _answered(answer, received, Status.EXECUTED, value)
        and _answered(cached, received_again, Status.CACHED, value)
        and _answered(reply, sent_again, Status.CACHED, value)
        and was_passed(went, link, "request")
        and was_passed(went_again, link, "request")
        and was_passed(came, link, "reply")
        and _number(lost.get("rule"))
        and was_decided(lost, "drop", link, "reply")
        and _left(end, sent.get("connection"), sent_again.get("connection"))
    ):
        return None
    return int(lost["rule"])


def _left(end: Details, line: object, line_again: object) -> bool:
    """Its line ended by its own timeout, or it was sent again over the same."""
    if not end:
        return line == line_again
    return bool(end[0].get("error") == "timeout" and end[0].get("connection") == line)


def _number(value: object) -> bool:
    return type(value) is int


def _as_sent(sent: dict[str, Any], received: dict[str, Any]) -> bool:
    numbers = all(_number(said.get(key)) for said in (sent, received) for key in _NUMBERED)
    return numbers and as_sent(sent, received)


def _answered(said: dict[str, Any], way: dict[str, Any], status: Status, value: object) -> bool:
    """Over the line on which it had come."""
    return (
        said.get("status") == status
        and "value" in said
        and said["value"] == value
        and said.get("connection") == way.get("connection")
    )
