"""PURE: opportunities, situations that really occurred in which a weaker mechanism would have failed.

Each is a function from the evidence of one operation to whether the operation made it. It looks at what the
receiver journalled, joined with what the plane and the process's end say; never at what a sender meant to do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from nodes.wire.header import Status
from orchestrator.checkers.setting import Setting
from orchestrator.history.index import Life, Trace, per_attempt
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
    return any(
        setting.index.killed(life)
        and not any(event.epoch <= life[1] for event in trace.effects)
        and not any(_life(event) == life for event in trace.answers)
        for life in _lives(trace.receives)
    )


def died_after_commit(setting: Setting, trace: Trace) -> bool:
    """A server died after the commit and before its reply arrived; a later epoch received the operation again."""
    for effect in trace.effects:
        death = setting.index.killed_at(_life(effect))
        later = [event for event in trace.receives if event.epoch > effect.epoch and event.node == effect.node]
        ordered = setting.index.ordered
        if death is not None and later and all(ordered(later[0], reply) for reply in trace.replies):
            return True
    return False


def repeat_while_executing(setting: Setting, trace: Trace) -> bool:
    """Another copy was received between an execution's begin and its commit, in one process."""
    return any(
        _life(copy) == _life(execute) and execute.order < copy.order < _finished(setting, trace, execute)
        for execute in trace.executes
        for copy in trace.receives
    )


def _finished(setting: Setting, trace: Trace, execute: Event) -> int:
    """The order at which the execution was committed (answered, without an effect), else the end of its process."""
    ends = trace.commits if trace.has_effect else trace.answers
    mine = (
        event.order
        for event in ends
        if _life(event) == _life(execute) and event.attempt == execute.attempt and event.order > execute.order
    )
    return next(mine, setting.index.lives[_life(execute)][-1].order)


def repeat_after_commit(setting: Setting, trace: Trace) -> bool:
    """Another copy was received after the commit, by the same process, before the record was trimmed."""
    return any(
        _life(copy) == _life(commit) and copy.order > commit.order and not _trimmed(setting, copy)
        for commit in trace.commits
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
    return any(
        copy.node == effect.node and copy.epoch > effect.epoch and ids.get(_life(copy)) != ids.get(_life(effect))
        for effect in trace.effects
        for copy in trace.receives
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
    return any(
        send.attempt > end.attempt and send.detail.get("connection") != end.detail.get("connection")
        for end in trace.ends
        if end.detail.get("error") != "timeout"
        for send in trace.sends
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
        for outage in index.downs
        if outage.life[0] == setting.server_of(trace)
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
