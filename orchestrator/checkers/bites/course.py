"""PURE: what explains the course of a call: of any, when it was sent again or given up; of one that no fault met, that
it was, was refused, or ended unknown.

Rules of this file:

1. A wait that really passed without a reply explains the attempt after it, and an `info` after the last: it was late.
   Who has waited closes the connection, and what it shared that with is no longer waited for either.
2. A connection that ended is explained by a fault on its link, or an absence of its server, that began before.
3. The end of an epoch explains the refusal of a call that was bound to it, and to none that lives.
4. Anything else is unexplained: it is of the mechanism's own making. So is a wait in the simulator, where time alone
   does not pass (punctual.py), but for one that the server asked for (BUSY).
5. Whatever meets a call, it is sent again when its wait has passed, and given up for want of a reply no sooner; in the
   simulator no later either.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from functools import cached_property
from itertools import pairwise
from typing import NamedTuple

from nodes.units import MILLISECOND
from nodes.wire.header import Status
from nodes.wire.record import Kind
from orchestrator.checkers.bites.punctual import punctual
from orchestrator.checkers.bites.transits import NOISE
from orchestrator.checkers.bites.windows import links
from orchestrator.checkers.setting import Setting
from orchestrator.history.index import Trace
from orchestrator.history.merged import Event, Life
from orchestrator.history.trace import timed_out

FINAL = frozenset({Status.EXECUTED, Status.CACHED, Status.JOINED, Status.STALE, Status.REFUSED})
"""The statuses of replies with which a call ends; BUSY is waited out."""


class Course(NamedTuple):
    """`late`: only time passed. `outlived`: it was bound to an epoch that had ended. `unexplained`: what nothing
    explains, "" if all is."""

    late: bool = False
    outlived: bool = False
    unexplained: str = ""


USUAL = Course()
UNANSWERED = "no reply"
"""Why a call was given up whose last wait has passed (nodes/drivers/rpc.py)."""


class Courses:
    """Of one run's calls."""

    def __init__(self, setting: Setting) -> None:
        self.setting = setting

    def of(self, trace: Trace) -> Course:
        """Of a call that no fault met, and that was not open while its server or its client was away."""
        ends = [*_ends(trace)]
        refused = any(event.detail.get("status") == Status.REFUSED for event in trace.replies)
        if trace.ending != "info" and len(trace.attempts) < 2 and not ends and not refused:
            return USUAL
        if not all("wait" in event.detail for event in trace.attempts):
            return Course(late=True)  # what older versions made of it, whose journals do not tell
        reason = next(self._unexplained(trace, ends, refused), "")
        late = not (reason or ends or refused)
        if late and self._punctual and not any(event.detail.get("status") == Status.BUSY for event in trace.replies):
            return Course(unexplained="its wait passed without a reply, where nothing takes time")
        return Course(late, refused and not reason, reason)

    @cached_property
    def _punctual(self) -> bool:
        return punctual(self.setting.cell, self.setting.index.history)

    def untimely(self, trace: Trace) -> str:
        """What came before an attempt's wait had passed, or later than in the simulator it does; "" if nothing."""
        following = trace.attempts[1:]
        if (
            trace.ending == "info"
            and trace.completion is not None
            and trace.completion.detail.get("error") == UNANSWERED
        ):
            following.append(trace.completion)
        for attempt, after in zip(trace.attempts, following, strict=False):
            if "wait" in attempt.detail and (passed := self._off(trace, attempt, after)) is not None:
                return f"{_what(after)} {_after(passed, attempt)}"
        return ""

    def _off(self, trace: Trace, attempt: Event, after: Event) -> int | None:
        """How long after it, if that is not its wait."""
        passed, wait = after.time - attempt.time, int(attempt.detail["wait"])
        simulated = self.setting.index.history.evidence == "sim"
        if passed < wait - NOISE:
            return passed
        if (
            simulated
            and passed > wait + NOISE
            and not self.setting.index.is_away(trace.node, attempt.order, after.order)
        ):
            return passed
        return None

    def _unexplained(self, trace: Trace, ends: list[Event], refused: bool) -> Iterator[str]:
        for event in ends:
            if not self._failed(trace, event):
                yield f"the connection of attempt {event.attempt} failed ({event.detail.get('error')})"
        if refused and not self._outlived(trace):
            yield "it was refused, and what it was bound to had not ended"
        for attempt, following in pairwise(trace.attempts):
            yield from self._hasty(trace, attempt, following)
        if trace.ending == "info" and not ends and not refused and not self._settled(trace):
            yield from self._given_up(trace)

    def _given_up(self, trace: Trace) -> Iterator[str]:
        end = trace.completion
        if end is None or not trace.attempts:
            yield "it ended info before it was tried"
            return
        yield from self._hasty(trace, trace.attempts[-1], end)

    def _hasty(self, trace: Trace, attempt: Event, following: Event) -> Iterator[str]:
        """What came after an attempt came before its wait had passed, or although a reply had come in time."""
        wait = int(attempt.detail["wait"])
        passed = following.time - attempt.time
        if passed < wait - NOISE:
            if not self._closed_by_another(trace, attempt, following):
                yield f"{_what(following)} {_after(passed, attempt)}"
        elif any(_final(reply) and reply.time < attempt.time + wait - NOISE for reply in trace.replies):
            yield f"{_what(following)} although a reply had come in time"

    def _closed_by_another(self, trace: Trace, attempt: Event, following: Event) -> bool:
        """Another call of its client, whose own wait had passed, closed the connection that they shared."""
        closed = {
            end.detail.get("connection")
            for end in trace.ends
            if timed_out(end) and attempt.order < end.order < following.order
        }
        return bool(closed) and any(
            end.detail.get("connection") in closed and _waited(other, end)
            for other in self._calls[trace.operation[0]]
            if other.operation != trace.operation
            for end in other.ends
        )

    @cached_property
    def _calls(self) -> dict[int, list[Trace]]:
        """By client."""
        found: dict[int, list[Trace]] = defaultdict(list)
        for trace in self.setting.index.invoked.values():
            found[trace.operation[0]].append(trace)
        return found

    def _failed(self, trace: Trace, end: Event) -> bool:
        link = self.setting.link_of(trace)
        if link is None:
            return True
        began = [self._acted.get((client, link.name), end.order) for client in (0, trace.operation[0])]
        return min(began) < end.order or self.setting.index.is_away(link.target, 0, end.order)

    @cached_property
    def _acted(self) -> dict[tuple[int, str], int]:
        """(client, or 0 for everybody's; link) -> the order at which a plane first did something there."""
        found: dict[tuple[int, str], int] = {}
        for kind in (Kind.DECISION, Kind.BOUND, Kind.UNIDENTIFIED):
            for event in self.setting.index.of_kind(kind):
                if event.detail.get("act") != "pass":
                    key = event.client, str(event.detail.get("link"))
                    found[key] = min(event.order, found.get(key, event.order))
        for rule, windows in self.setting.index.windows.items():
            for name in links(self.setting, self.setting.cell.faults[rule]):
                first = min(window.begin for window in windows)
                found[0, name] = min(first, found.get((0, name), first))
        return found

    def _outlived(self, trace: Trace) -> bool:
        """Its number is that of a process, or of its history, that ended, and not of the one that refused."""
        bound = {event.detail.get("server") for event in trace.sends} - {0, None}
        refusing = {event.life for event in trace.answers if event.detail.get("status") == Status.REFUSED}
        living = {number for life in refusing for number in self._numbers(life)}
        return bool(bound) and bound <= self._ended and not bound & living

    @cached_property
    def _ended(self) -> frozenset[object]:
        index = self.setting.index
        gone = {outage.life for outage in (*index.downs, *index.pauses)}
        return frozenset(number for life in gone for number in self._numbers(life))

    def _numbers(self, life: Life) -> tuple[object, object]:
        start = self.setting.index.start(life)
        return start.get("incarnation"), start.get("history")

    def _settled(self, trace: Trace) -> bool:
        """Settling was ended by its cap, and so was the call."""
        capped = any(event.detail.get("phase") == "settle-capped" for event in self.setting.index.of_kind(Kind.PHASE))
        return capped and trace.completion is not None and "settling ended" in str(trace.completion.detail.get("error"))


def _what(following: Event) -> str:
    """What came after an attempt."""
    if following.kind is Kind.ATTEMPT:
        return f"attempt {following.attempt} was begun"
    return f"it ended info ({following.detail.get('error', '')})"


def _after(passed: int, attempt: Event) -> str:
    after = f"{passed / MILLISECOND:.0f} ms after attempt {attempt.attempt}"
    return f"{after}, which was to wait {int(attempt.detail['wait']) / MILLISECOND:.0f} ms"


def _ends(trace: Trace) -> Iterator[Event]:
    """Connections that ended or were not made, but for those that took their client too long."""
    yield from (event for event in trace.ends if not timed_out(event))
    yield from (event for event in trace.unconnected if event.detail.get("error") != "TimeoutError")


def _waited(trace: Trace, end: Event) -> bool:
    """Whether the attempt whose connection ended had waited as long as it was to."""
    attempts = (event for event in trace.attempts if event.attempt == end.attempt)
    return any(end.time - event.time >= int(event.detail["wait"]) - NOISE for event in attempts)


def _final(reply: Event) -> bool:
    return reply.detail.get("status") in FINAL
