"""PURE: whether a fault did to an operation what it was asked to do, by the receiver's journal.

A decision says that a fault was *applied*; each function here looks for what the receiver then did or did not see
(docs/semantics.md, "Faults are applied, effective, consequential"). The decision is the relay's record
of the message that the rule met.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from chaos.faults.fault import Fault, RelayFault
from chaos.faults.messages import Corrupt, Cut, Delay, Drop, Duplicate, Hold, Reorder, Slice, Truncate
from chaos.faults.paths import Partition, Rate
from nodes.units import MILLISECOND
from orchestrator.checkers.setting import Setting
from orchestrator.history.index import Trace
from orchestrator.history.merged import Event
from orchestrator.history.trace import timed_out

_PASSES = frozenset({"pass", "duplicate", "corrupt"})
"""Decisions whose message went on at once; others pass by a RELEASE or not whole."""


def effective(setting: Setting, fault: RelayFault, decision: Event, trace: Trace) -> bool:
    """Whether the decision of `fault` on a message of the operation had the effect that it was to have."""
    return EFFECTS[type(fault)].shown(setting, fault, decision, trace)


def unfelt(fault: RelayFault) -> str:
    """What the receiver's journal shows of the messages that it was applied to without effect."""
    return EFFECTS[type(fault)].unfelt


def _lost(setting: Setting, fault: Drop | Partition, decision: Event, trace: Trace) -> bool:
    return _absent(decision, trace)


def _doubled(setting: Setting, fault: Duplicate, decision: Event, trace: Trace) -> bool:
    return len(_seen(decision, trace)) > 1


def _delayed(setting: Setting, fault: Delay, decision: Event, trace: Trace) -> bool:
    return _late_by(decision, trace, fault.by * MILLISECOND)


def _queued(setting: Setting, fault: Rate, decision: Event, trace: Trace) -> bool:
    release = _release(decision, trace)
    return release is not None and _late_by(decision, trace, release.time - decision.time)


def _held(setting: Setting, fault: Hold, decision: Event, trace: Trace) -> bool:
    release = _release(decision, trace)
    return release is not None and any(event.order > release.order for event in _seen(decision, trace))


def _corrupted(setting: Setting, fault: Corrupt, decision: Event, trace: Trace) -> bool:
    return _absent(decision, trace) or altered(decision, trace)


def _truncated(setting: Setting, fault: Truncate, decision: Event, trace: Trace) -> bool:
    return _absent(decision, trace) and (_broken(setting, decision) or _ended(decision, trace))


def _severed(setting: Setting, fault: Cut, decision: Event, trace: Trace) -> bool:
    if (fault.cut, fault.of) == ("after", "reply"):
        return _left(setting, decision, trace)
    return _ended(decision, trace)


def _sliced(setting: Setting, fault: Slice, decision: Event, trace: Trace) -> bool:
    """Its last piece came late by half of what they all took, which is one gap at least: that is what a receiver of
    whole messages can tell of pieces. Or it took a piece for the message."""
    release = _release(decision, trace)
    if release is None:
        return False
    late = _late_by(decision, trace, max(fault.gap * MILLISECOND, release.time - decision.time))
    return late or altered(decision, trace)


def _direction(decision: Event) -> str:
    return str(decision.detail.get("direction"))


def _seen(decision: Event, trace: Trace) -> list[Event]:
    """What the receiver journalled of this attempt's messages in the decision's direction."""
    events = trace.receives if _direction(decision) == "request" else trace.replies
    return [event for event in events if event.attempt == decision.attempt]


def _same_message(decision: Event, event: Event) -> bool:
    return event.attempt == decision.attempt and _direction(event) == _direction(decision)


def _release(decision: Event, trace: Trace) -> Event | None:
    """Where the relay let the message go on."""
    later = (
        event
        for event in trace.releases
        if _same_message(decision, event) and event.order > decision.order and event.detail.get("act") != "lost"
    )
    return next(later, None)


def _absent(decision: Event, trace: Trace) -> bool:
    """The receiver has no more copies than the relay passed besides this one."""
    passed = sum(
        event.detail.get("act") in _PASSES
        for event in trace.decisions
        if _same_message(decision, event) and event is not decision
    )
    released = sum(event.detail.get("act") != "lost" for event in trace.releases if _same_message(decision, event))
    return bool(len(_seen(decision, trace)) <= passed + released)


def _late_by(decision: Event, trace: Trace, asked: int) -> bool:
    """The first copy that the receiver has is later than the relay's receipt by at least half of what was asked."""
    seen = _seen(decision, trace)
    return asked > 0 and bool(seen) and 2 * (seen[0].time - decision.time) >= asked


def _reordered(setting: Setting, fault: Reorder, decision: Event, trace: Trace) -> bool:
    return overtaken(setting, decision, trace)


def overtaken(setting: Setting, decision: Event, trace: Trace) -> bool:
    """The receiver has it after another operation of the same client whose message came to the relay later."""
    seen, direction = _seen(decision, trace), _direction(decision)
    return bool(seen) and setting.overtaking.overtaken(trace.operation, direction, decision.order, seen[0].order)


def altered(decision: Event, trace: Trace) -> bool:
    """Without a checksum the message arrives, with other content than was sent."""
    if _direction(decision) == "request":
        sent = trace.invoke.detail.get("value") if trace.invoke else None
        return any(event.detail.get("value") != sent for event in trace.executes if event.attempt == decision.attempt)
    answers = [event.detail.get("value") for event in trace.answers if event.attempt == decision.attempt]
    return any(event.detail.get("value") not in answers for event in _seen(decision, trace))


def _broken(setting: Setting, decision: Event) -> bool:
    """A receiver journalled a broken message after the decision; a plane that did names its link."""
    return setting.last_broken > decision.order


def _ended(decision: Event, trace: Trace) -> bool:
    """The client journalled the end of the attempt's connection while its call was open."""
    return any(
        event.attempt == decision.attempt and event.order > decision.order and not timed_out(event)
        for event in trace.ends
    )


def _left(setting: Setting, decision: Event, trace: Trace) -> bool:
    """The client has the reply, and lost that connection before it was done with its next call."""
    seen = _seen(decision, trace)
    if not seen:
        return False
    client, connection, order = trace.operation[0], seen[0].detail.get("connection"), seen[0].order
    sends = setting.index.sends.get(client, [])
    sent = bisect_right(sends, order, key=lambda event: event.order)
    lost = setting.index.cuts.get((client, connection), -1) > order
    return lost or (sent < len(sends) and sends[sent].detail.get("connection") != connection)


class Effect(NamedTuple):
    """How one fault's effect shows, asked of (setting, fault, decision, trace); and what shows where it does not."""

    shown: Callable[[Setting, Any, Event, Trace], bool]
    unfelt: str


_COPIES = "their receiver got every copy all the same"
_PUNCTUAL = "none was received late by half of what was asked"
EFFECTS: Mapping[type[Fault], Effect] = MappingProxyType(
    {
        Drop: Effect(_lost, _COPIES),
        Partition: Effect(_lost, _COPIES),
        Duplicate: Effect(_doubled, "their receiver got no second copy"),
        Reorder: Effect(_reordered, "no later one came before them"),
        Hold: Effect(_held, "none was received after it was let go"),
        Delay: Effect(_delayed, _PUNCTUAL),
        Rate: Effect(_queued, _PUNCTUAL),
        Corrupt: Effect(_corrupted, "their receiver got and did what it would have without it"),
        Truncate: Effect(_truncated, "their receiver noticed nothing"),
        Cut: Effect(_severed, "no connection ended with its call open"),
        Slice: Effect(_sliced, "none was received late by half of what its pieces take"),
    }
)
"""Every fault of the relay."""
