"""PURE: opportunities, situations that really occurred in which a weaker mechanism would have failed.

Each is a function from the evidence of one operation to whether the operation made it. It looks at what the
receiver journalled, joined with what the plane and the process's end say; never at what a sender meant to do.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from nodes.wire.header import Status
from orchestrator.checkers.setting import Setting
from orchestrator.history.index import Life, Trace, Window, next_after, per_attempt
from orchestrator.history.intervals import Intervals
from orchestrator.history.merged import Event, Operation

Opportunity = Callable[[Setting, Trace], bool]
RESULTS = frozenset({Status.EXECUTED, Status.CACHED, Status.JOINED})
"""The statuses of answers that carry a result."""


def offered(setting: Setting) -> dict[str, frozenset[Operation]]:
    """Opportunity -> the operations that made it; only those that occurred."""
    found = {
        name: frozenset(operation for operation, trace in setting.index.invoked.items() if made(setting, trace))
        for name, made in OPPORTUNITIES.items()
    }
    return {name: operations for name, operations in found.items() if operations}


def request_unseen(setting: Setting, trace: Trace) -> bool:
    """Attempt 1 was sent and no copy of it reached the server."""
    return 1 in per_attempt(trace.sends) and 1 not in per_attempt(trace.receives)


def reply_unseen(setting: Setting, trace: Trace) -> bool:
    """An attempt of a committed operation was answered with the result, and no such answer reached the client."""
    answered = {event.attempt for event in trace.answers if event.detail.get("status") in RESULTS}
    return bool(trace.effects) and bool(answered - set(per_attempt(trace.replies)))


def died_before_commit(setting: Setting, trace: Trace) -> bool:
    """A server died with the operation received and not committed, in that epoch or before."""
    first = min((event.epoch for event in trace.effects), default=None)
    answered = {_life(event) for event in trace.answers}
    return any(
        setting.index.killed(life) and life not in answered and (first is None or life[1] < first)
        for life in _lives(trace.receives)
    )


def died_after_commit(setting: Setting, trace: Trace) -> bool:
    """A server died after the commit and before its reply arrived; a later epoch received the operation again."""
    ordered = setting.index.ordered
    deaths = {_life(effect) for effect in trace.effects if setting.index.killed_at(_life(effect)) is not None}
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
    return any(
        _life(copy) in meanwhile and meanwhile[_life(copy)].meet(copy.order, copy.order) for copy in trace.receives
    )


def _executions(setting: Setting, trace: Trace) -> Iterator[tuple[Window, Life]]:
    """Each until it was committed (answered, without an effect), else until the end of its process."""
    ends: dict[tuple[Life, int], list[int]] = defaultdict(list)
    for event in trace.commits if trace.has_effect else trace.answers:
        ends[_life(event), event.attempt].append(event.order)
    for execute in trace.executes:
        life = _life(execute)
        last = setting.index.lives[life][-1].order
        yield Window(execute.order, next_after(ends[life, execute.attempt], execute.order, last)), life


def repeat_after_commit(setting: Setting, trace: Trace) -> bool:
    """Another copy was received after the commit, by the same process, before the record was trimmed."""
    first: dict[Life, int] = {}
    for commit in trace.commits:
        first.setdefault(_life(commit), commit.order)
    return any(
        _life(copy) in first and copy.order > first[_life(copy)] and not _trimmed(setting, copy)
        for copy in trace.receives
    )


def repeat_after_trim(setting: Setting, trace: Trace) -> bool:
    """A copy below the trim mark was received."""
    return any(_trimmed(setting, copy) for copy in trace.receives)


def _trimmed(setting: Setting, copy: Event) -> bool:
    return setting.mark_at(copy) > copy.seq


def repeat_in_later_epoch(setting: Setting, trace: Trace) -> bool:
    """A second copy was received by a later epoch."""
    return len(_lives(trace.receives)) > 1


def repeat_after_history_loss(setting: Setting, trace: Trace) -> bool:
    """A repeat of a committed operation reached an epoch that was started without its state."""
    ids = setting.index.histories
    written: dict[str, dict[int | None, int]] = defaultdict(dict)
    for effect in sorted(trace.effects, key=lambda effect: effect.epoch):
        if len(written[effect.node]) < 2:  # the first, and the first of another history, tell all
            written[effect.node].setdefault(ids.get(_life(effect)), effect.epoch)
    return any(
        epoch < copy.epoch and history != ids.get(_life(copy))
        for copy in trace.receives
        for history, epoch in written[copy.node].items()
    )


def seen_out_of_order(setting: Setting, trace: Trace) -> bool:
    """It was first received after a higher-numbered operation of the same client, by the same process."""
    if not trace.receives:
        return False
    first = trace.receives[0]
    highest = setting.highest_before.get(first.order, 0)
    return highest > first.seq


def cut_while_open(setting: Setting, trace: Trace) -> bool:
    """An attempt's connection was ended by others while its call was open, and a later attempt used another."""
    ended = [event for event in trace.ends if event.detail.get("error") != "timeout"]
    last: dict[Any, int] = {}
    for send in sorted(trace.sends, key=lambda send: -send.attempt) if ended else ():
        if len(last) < 2:  # the last, and the last over another connection, tell all
            last.setdefault(send.detail.get("connection"), send.attempt)
    return any(
        attempt > end.attempt and connection != end.detail.get("connection")
        for end in ended
        for connection, attempt in last.items()
    )


def reply_received_twice(setting: Setting, trace: Trace) -> bool:
    """Two copies of the reply to one attempt reached the client."""
    return any(count > 1 for count in per_attempt(trace.replies).values())


def invoked_while_down(setting: Setting, trace: Trace) -> bool:
    """It was first issued after the server's listener was closed, before the next epoch was ready."""
    invoke, index = trace.invoke, setting.index
    return invoke is not None and any(
        index.ordered(index.events[outage.closed], invoke)
        and (outage.end == index.end or index.ordered(invoke, index.events[outage.end]))
        for outage in index.dead(setting.server_of(trace), invoke.order, invoke.order)
    )


def budget_spent(setting: Setting, trace: Trace) -> bool:
    """Its client gave up after the last attempt that it was allowed."""
    budget = setting.budget_of(trace)
    return trace.ending == "info" and budget is not None and len(per_attempt(trace.attempts)) >= budget


def _life(event: Event) -> Life:
    return (event.node, event.epoch)


def _lives(events: Iterable[Event]) -> list[Life]:
    return sorted({_life(event) for event in events})


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
    "cut-while-open": cut_while_open,
    "repeat-after-history-loss": repeat_after_history_loss,
    "reply-received-twice": reply_received_twice,
    "invoked-while-down": invoked_while_down,
    "budget-spent": budget_spent,
}
