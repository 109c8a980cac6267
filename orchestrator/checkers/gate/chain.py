"""PURE: every message that arrived was sent, and where a message plane stands on its link, was let through by it.

Rules of this file:

1. Whoever sends a message journals it before its first byte moves; so does a hop before it lets one go on. So a record
   of what arrived has the records of its way, whoever was killed on it.
2. What does not arrive proves nothing: messages are lost, and receivers die.
3. A client's hello (operation 0) is sent without a record; a call without a header (client 0) is nobody's.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import chain
from typing import Any, NamedTuple

from chaos.identity import Direction
from nodes.rpc.calls import Sent
from orchestrator.checkers.gate.names import attempt_name, operation_name
from orchestrator.checkers.gate.roads import Road, Roads
from orchestrator.checkers.opportunities import RESULTS
from orchestrator.checkers.views import Views
from orchestrator.history.index import Trace, per_attempt
from orchestrator.history.merged import Event

WHOLE = frozenset({"pass", "duplicate", "corrupt", "slice"})
"""Decisions on messages of which one goes on whole, at once or in pieces. So does one with a cut after it."""
ALTERING = frozenset({"duplicate", "corrupt"})
"""What makes of one message two, or another one."""
NOTHING_MORE = frozenset({"slice", "lost"})
"""Releases of nothing that the decision did not count: the rest of a message in pieces, and what goes nowhere."""


class Way(NamedTuple):
    """One direction of an operation's messages: what was sent, what the hop decided and let go later, what arrived.

    `recorded`: whoever sends them says so.
    """

    direction: Direction
    recorded: bool
    sent: list[Event]
    decided: list[Event]
    released: list[Event]
    received: list[Event]


def messages_were_sent(setting: Views) -> Iterator[str]:
    """Every link of the chain, of every operation and every hello."""
    roads = Roads(setting)
    for trace in chain(setting.odd.values(), setting.index.hellos.values()):
        client, seq = trace.operation
        if client not in setting.callers:
            continue
        road = roads.of(setting.callers[client].node, seq)
        yield from _elsewhere(trace, road)
        for way in _ways(trace):
            if not _plain(way, road):
                yield from _passed(setting, way, road)
            yield from _early(setting, way)
        yield from _headers(trace)
        yield from _answers(trace)
        yield from _replies(setting, trace)
        if road.counted:
            yield from _repeated(trace)


def _ways(trace: Trace) -> tuple[Way, Way]:
    decided, released, hello = trace.decisions, trace.releases, trace.operation[1] == 0
    requests, replies = _going(decided, "request"), _going(decided, "reply")
    return (
        Way("request", not hello, trace.sends, requests, _going(released, "request"), trace.receives),
        Way("reply", True, trace.answers, replies, _going(released, "reply"), trace.replies),
    )


def _going(events: list[Event], direction: Direction) -> list[Event]:
    return [event for event in events if event.detail.get("direction") == direction]


def _elsewhere(trace: Trace, road: Road) -> Iterator[str]:
    """What was seen where the plan does not have it."""
    for event in (*trace.decisions, *trace.releases, *trace.receives):
        if event.detail.get("link") not in road.links:
            planned = ", ".join(sorted(road.links))
            yield f"{attempt_name(event)}, was seen on {event.detail.get('link')}; the plan has it on {planned}"
            return
    for event in (*trace.receives, *trace.answers):
        if event.node not in road.servers:
            planned = ", ".join(sorted(road.servers))
            yield f"{attempt_name(event)}, was seen by {event.node}; the plan has it for {planned}"
            return


def _plain(way: Way, road: Road) -> bool:
    """Whether it is as it nearly always is: one message, sent, passed and received."""
    if not (len(way.sent) == len(way.received) == 1 and way.sent[0].attempt == way.received[0].attempt):
        return False
    if way.direction not in road.told:
        return True
    if way.released or len(way.decided) != 1 or way.decided[0].attempt != way.sent[0].attempt:
        return False
    return bool(way.decided[0].detail["act"] == "pass")


def _passed(setting: Views, way: Way, road: Road) -> Iterator[str]:
    """No more messages come out of a part of the way than go into it."""
    sent = per_attempt(way.sent)
    if way.direction in road.told:
        if way.recorded:
            yield from _more(way.direction, "decided on", way.decided, "sent", sent)
        yield from _more(way.direction, "received", way.received, "let through", _let_through(setting, way))
    elif way.recorded:
        bound = sent if road.counted else Counter(dict.fromkeys(sent, len(way.received)))
        yield from _more(way.direction, "received", way.received, "sent", bound)


def _more(direction: Direction, came: str, out: list[Event], went: str, into: Counter[int]) -> Iterator[str]:
    for attempt, count in per_attempt(out).items():
        if count > into[attempt]:
            event = next(event for event in out if event.attempt == attempt)
            yield (
                f"{attempt_name(event)}: its {direction} is on record as {came} {count} times by {event.node}, and as "
                f"{went} {into[attempt]} times"
            )


def _let_through(setting: Views, way: Way) -> Counter[int]:
    through = Counter(event.attempt for event in way.decided if _goes_on(setting, event))
    through.update(event.attempt for event in way.released if event.detail["act"] not in NOTHING_MORE)
    return through


def _goes_on(setting: Views, decision: Event) -> bool:
    act, rule = decision.detail["act"], decision.detail.get("rule")
    if act != "cut" or rule is None:
        return act in WHOLE
    faults = setting.cell.faults
    return bool(0 <= rule < len(faults) and faults[rule].passes_first)


def _early(setting: Views, way: Way) -> Iterator[str]:
    """Nothing arrives that is known to have been sent later."""
    sent: dict[int, Event] = {}
    for event in way.sent:
        sent.setdefault(event.attempt, event)
    for event in way.received:
        first = sent.get(event.attempt)
        if first is not None and event.time < first.time and setting.index.ordered(event, first):
            yield f"{attempt_name(event)}: its {way.direction} arrived before it was sent"


def _headers(trace: Trace) -> Iterator[str]:
    """A request arrives with the first incomplete number and the binding that it was sent with."""
    sent = {event.attempt: event.detail for event in trace.sends}
    for event in trace.receives:
        detail = sent.get(event.attempt, {})
        for key in ("first", "server"):
            if key in detail and (found := event.detail.get(key)) != detail[key]:
                yield f"{attempt_name(event)}, was sent with {key} {detail[key]} and received with {found}"


def _answers(trace: Trace) -> Iterator[str]:
    """A server answers what it received."""
    received = {(event.node, event.attempt) for event in trace.receives}
    for event in trace.answers:
        if (event.node, event.attempt) not in received:
            yield f"{attempt_name(event)}, was answered by {event.node}, which never journalled to have received it"


def _replies(setting: Views, trace: Trace) -> Iterator[str]:
    """A reply is what was answered, but for a result that was altered on its way; an `ok` has a reply with a result."""
    if trace.replies:
        altered = {
            event.attempt
            for event in trace.decisions
            if event.detail.get("act") == "corrupt" and event.detail.get("direction") == "reply"
        }
        answered = [_said(event, event.attempt in altered) for event in trace.answers]
        for event in trace.replies:
            said = _said(event, event.attempt in altered)
            if said not in answered and not (_unreadable(setting, trace, event) and said in _unread(trace)):
                yield f"{attempt_name(event)}: its client journalled a reply that no server answered"
    if trace.ending == "ok" and not any(event.detail.get("status") in RESULTS for event in trace.replies):
        yield f"{operation_name(trace.operation)} ended ok, and its client journalled no reply with a result"


def _repeated(trace: Trace) -> Iterator[str]:
    """Each answer comes once, if no copies were made of it. A reply that says nothing may be any."""
    replies = _going(trace.decisions, "reply")
    copied = {event.attempt for event in replies if event.detail.get("act") in ALTERING}
    answered = [_said(event, False) for event in trace.answers]
    for event in trace.replies if len(trace.replies) > 1 else ():
        said = _said(event, False)
        if event.attempt in copied or event.detail.get("value") is None:
            continue
        if said in answered:
            answered.remove(said)
        else:
            yield f"{attempt_name(event)}: its client journalled a reply more often than a server answered it"


def _unreadable(setting: Views, trace: Trace, reply: Event) -> bool:
    """A client that has sent many attempts since, and hellos, does not know any more what was asked in a call that is
    over."""
    if trace.completion is None or trace.completion.order > reply.order:
        return False
    sent = next((event.order for event in trace.sends if event.attempt == reply.attempt), reply.order)
    client = trace.operation[0]
    of_client = (other for other in setting.index.traces.values() if other.operation[0] == client)
    hello = setting.index.hellos.get(client)
    hellos = max((event.attempt for event in hello.answers), default=0) if hello else 0
    return hellos + sum(event.order > sent for other in of_client for event in other.sends) >= Sent.REMEMBERED


def _unread(trace: Trace) -> list[tuple[Any, ...]]:
    return [_said(event, True) for event in trace.answers]


def _said(event: Event, altered: bool) -> tuple[Any, ...]:
    """What an answer or a reply says: its attempt, its status, and its result unless that may differ."""
    status = event.detail.get("status")
    return event.attempt, status, None if altered else event.detail.get("value")
