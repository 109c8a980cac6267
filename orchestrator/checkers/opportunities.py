"""PURE: opportunities, situations that really occurred in which a weaker mechanism would have failed.

Each is a function from the evidence of one operation to whether the operation made it. It looks at what the
receiver journalled, joined with what the plane and the process's end say; never at what a sender meant to do.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Any

from nodes.wire.header import Status
from nodes.wire.record import Kind
from orchestrator.checkers.failures import failures
from orchestrator.checkers.setting import Setting
from orchestrator.history.index import Trace, Window, next_after
from orchestrator.history.intervals import Intervals
from orchestrator.history.merged import Event, Life, Operation
from orchestrator.history.trace import timed_out

Opportunity = Callable[[Setting, Trace], bool]
RESULTS = frozenset({Status.EXECUTED, Status.CACHED, Status.JOINED})
"""The statuses of answers that carry a result."""


def offered(setting: Setting) -> dict[str, frozenset[Operation]]:
    """Opportunity -> the operations that made it; only those that occurred."""
    found: dict[str, set[Operation]] = {name: set() for name in OPPORTUNITIES}
    for operation, trace in setting.odd_invoked.items():
        for name, made in OPPORTUNITIES.items():
            if made(setting, trace):
                found[name].add(operation)
    return {name: setting.with_alike(operations) for name, operations in found.items() if operations}


def request_unseen(setting: Setting, trace: Trace) -> bool:
    """Attempt 1 was sent and no copy of it reached the server."""
    return any(send.attempt == 1 for send in trace.sends) and all(event.attempt != 1 for event in trace.receives)


def reply_unseen(setting: Setting, trace: Trace) -> bool:
    """No reply to what was committed reached its client before it sent a further attempt, and none to an earlier one
    came later."""
    arrived = min((event.attempt for event in trace.replies if event.detail.get("status") in RESULTS), default=None)
    answered = {event.attempt for event in trace.answers if event.detail.get("status") in RESULTS}
    further = [send for send in trace.sends if arrived is None or send.attempt <= arrived]
    last = max(further, key=lambda send: send.attempt, default=None)
    return last is not None and any(
        commit.attempt in answered and commit.attempt < last.attempt and setting.index.ordered(commit, last)
        for commit in trace.commits
    )


def died_before_commit(setting: Setting, trace: Trace) -> bool:
    """A server died with the operation received and not committed, in that epoch or before."""
    first = min((event.epoch for event in trace.effects), default=None)
    answered = {event.life for event in trace.answers}
    return any(
        setting.index.killed(life) and life not in answered and (first is None or life[1] < first)
        for life in _lives(trace.receives)
    )


def died_after_commit(setting: Setting, trace: Trace) -> bool:
    """A server died after the commit and before its reply arrived; a later epoch received the operation again."""
    ordered = setting.index.ordered
    deaths = {effect.life for effect in trace.effects if setting.index.killed_at(effect.life) is not None}
    newest = _newest_so_far(trace.receives) if deaths else {}
    for node, epoch in deaths:
        later = bisect_right(newest.get(node, ()), epoch, key=lambda copy: copy.epoch)
        for copy in newest.get(node, [])[later : later + 1]:
            if all(ordered(copy, reply) for reply in trace.replies):
                return True
    return False


def _newest_so_far(receives: Iterable[Event]) -> dict[str, list[Event]]:
    """Node -> the copies that were the first that an epoch received, where no later one had received any."""
    found: dict[str, list[Event]] = defaultdict(list)
    for copy in receives:
        if not found[copy.node] or found[copy.node][-1].epoch < copy.epoch:
            found[copy.node].append(copy)
    return found


def repeat_while_executing(setting: Setting, trace: Trace) -> bool:
    """Another copy was received between an execution's begin and its commit, in one process."""
    if len(trace.receives) < 2:
        return False
    executing: dict[Life, list[Window]] = defaultdict(list)
    for window, life in _executions(setting, trace):
        executing[life].append(window)
    meanwhile = {life: Intervals(windows) for life, windows in executing.items()}
    return any(copy.life in meanwhile and meanwhile[copy.life].meet(copy.order, copy.order) for copy in trace.receives)


def _executions(setting: Setting, trace: Trace) -> Iterator[tuple[Window, Life]]:
    """Each until it was committed (answered, without an effect), else until the end of its process."""
    ends: dict[tuple[Life, int], list[int]] = defaultdict(list)
    for event in trace.commits if trace.has_effect else trace.answers:
        ends[event.life, event.attempt].append(event.order)
    for execute in trace.executes:
        life = execute.life
        last = setting.index.lives[life][-1].order
        yield Window(execute.order, next_after(ends[life, execute.attempt], execute.order, last)), life


def repeat_after_commit(setting: Setting, trace: Trace) -> bool:
    """Another copy was received after the commit, by the same process, before the record was trimmed."""
    first: dict[Life, int] = {}
    for commit in trace.commits:
        first.setdefault(commit.life, commit.order)
    return any(
        copy.life in first and copy.order > first[copy.life] and not _trimmed(setting, copy) for copy in trace.receives
    )


def repeat_after_trim(setting: Setting, trace: Trace) -> bool:
    """A copy below the trim mark was received."""
    return any(_trimmed(setting, copy) for copy in trace.receives)


def _trimmed(setting: Setting, copy: Event) -> bool:
    return copy.order in setting.index.receipts.forgotten


def repeat_in_later_epoch(setting: Setting, trace: Trace) -> bool:
    """A second copy was received by a later epoch."""
    return len(_lives(trace.receives)) > 1


def repeat_after_history_loss(setting: Setting, trace: Trace) -> bool:
    """A repeat of a committed operation reached an epoch that was started without its state."""
    ids = setting.index.histories
    written: dict[str, dict[int | None, int]] = defaultdict(dict)
    for effect in sorted(trace.effects, key=lambda effect: effect.epoch):
        if len(written[effect.node]) < 2:  # the first, and the first of another history, tell all
            written[effect.node].setdefault(ids.get(effect.life), effect.epoch)
    return any(
        epoch < copy.epoch and history != ids.get(copy.life)
        for copy in trace.receives
        for history, epoch in written[copy.node].items()
    )


def seen_out_of_order(setting: Setting, trace: Trace) -> bool:
    """It was first received after a higher-numbered operation of the same client, by the same process."""
    return bool(trace.receives) and trace.receives[0].order in setting.index.receipts.overtaken


def repeat_out_of_order(setting: Setting, trace: Trace) -> bool:
    """An operation first seen out of order was received again."""
    return len(trace.receives) > 1 and seen_out_of_order(setting, trace)


def cut_while_open(setting: Setting, trace: Trace) -> bool:
    """An attempt's connection was ended by others, and by no crash, while its call was open, and a later attempt used
    another."""
    ended = [event for event in failures(setting, trace) if event.kind is Kind.END] if trace.ends else []
    last: dict[Any, int] = {}
    for send in sorted(trace.sends, key=lambda send: -send.attempt) if ended else ():
        if len(last) < 2:  # the last, and the last over another connection, tell all
            last.setdefault(send.detail.get("connection"), send.attempt)
    return any(
        attempt > end.attempt and connection != end.detail.get("connection")
        for end in ended
        for connection, attempt in last.items()
    )


def repeat_after_cut(setting: Setting, trace: Trace) -> bool:
    """The same, and the operation was received more than once."""
    return len(trace.receives) > 1 and cut_while_open(setting, trace)


def answered_late(setting: Setting, trace: Trace) -> bool:
    """A further attempt was sent before the reply to an earlier one came, or before that one was answered whose
    connection the client had given up by then; and no message was lost."""
    left = {event.attempt for event in trace.ends if timed_out(event)}
    sends = sorted(trace.sends, key=lambda send: send.attempt)
    late = [*trace.replies, *(answer for answer in trace.answers if answer.attempt in left)]
    for event in late if len(sends) > 1 and not _lost(trace, left) else ():
        further = bisect_right(sends, event.attempt, key=lambda send: send.attempt)
        for send in sends[further : further + 1]:
            if event.detail.get("status") in RESULTS and setting.index.ordered(send, event):
                return True
    return False


def _lost(trace: Trace, left: Collection[int]) -> bool:
    """An attempt that was sent was never received, or its answer was not, though its client still listened."""
    heard = {event.attempt for event in trace.replies} | set(left)
    unseen = {event.attempt for event in trace.sends} - {event.attempt for event in trace.receives}
    return bool(unseen) or any(answer.attempt not in heard for answer in trace.answers)


def reply_received_twice(setting: Setting, trace: Trace) -> bool:
    """Two copies of the reply to one attempt reached the client."""
    return len({event.attempt for event in trace.replies}) < len(trace.replies)


def invoked_while_down(setting: Setting, trace: Trace) -> bool:
    """It was first issued after the server's listener was closed, before the next epoch was ready."""
    invoke, index = trace.invoke, setting.index
    return invoke is not None and any(
        index.ordered(index.events[outage.closed], invoke)
        and (outage.end == index.end or index.ordered(invoke, index.events[outage.end]))
        for outage in index.dead(setting.server_of(trace), invoke.order, invoke.order)
    )


def budget_spent(setting: Setting, trace: Trace) -> bool:
    """Its client made every attempt of a budget above one, none was answered, and it gave up."""
    budget, end = setting.budget_of(trace), trace.completion
    if budget is None or budget < 2 or end is None or trace.ending != "info":
        return False
    answered = any(reply.order < end.order for reply in trace.replies)
    return len({event.attempt for event in trace.attempts}) >= budget and not answered


def _lives(events: Iterable[Event]) -> list[Life]:
    return sorted({event.life for event in events})


OPPORTUNITIES: dict[str, Opportunity] = {
    "request-unseen": request_unseen,
    "reply-unseen": reply_unseen,
    "died-before-commit": died_before_commit,
    "repeat-while-executing": repeat_while_executing,
    "repeat-after-commit": repeat_after_commit,
    "repeat-in-later-epoch": repeat_in_later_epoch,
    "died-after-commit": died_after_commit,
    "repeat-after-trim": repeat_after_trim,
    "seen-out-of-order": seen_out_of_order,
    "repeat-out-of-order": repeat_out_of_order,
    "cut-while-open": cut_while_open,
    "repeat-after-cut": repeat_after_cut,
    "answered-late": answered_late,
    "repeat-after-history-loss": repeat_after_history_loss,
    "reply-received-twice": reply_received_twice,
    "invoked-while-down": invoked_while_down,
    "budget-spent": budget_spent,
}
