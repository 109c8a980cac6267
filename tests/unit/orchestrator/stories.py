"""Runs of the table of call semantics, as histories: what each fault does to operation 1, and one call after heal."""

from __future__ import annotations

from collections.abc import Callable

from history_builder import Run

from chaos.faults.fault import Fault
from chaos.faults.messages import Cut, Drop, Duplicate, Reorder
from chaos.faults.processes import Kill, Restart
from nodes.wire.header import Status

LINK = "client -> server"
Story = Callable[[Run], Run]
DROP_REQUEST = Drop(drop="request", link=LINK, operations=(1,))
DROP_REPLY = Drop(drop="reply", link=LINK, operations=(1,))
COPY = Duplicate(duplicate="request", link=LINK, operations=(1,))
COPY_LATER = Duplicate(duplicate="request", link=LINK, operations=(1,), copy="next-epoch")
CUT = Cut(cut="after", of="request", link=LINK, operations=(1,))
OVERTAKEN = Reorder(reorder="request", link=LINK, operations=(1,))


def kill(at: str, state: str = "keep") -> Kill:
    return Kill(kill="server", at=at, operation=1, restart=Restart(state=state))  # type: ignore[arg-type]


def repeat(run: Run, seq: int = 1, attempt: int = 2, status: Status = Status.CACHED, server: int = 0) -> Run:
    """Another attempt, answered without being executed."""
    run.send(seq, attempt, server=server).decide("request", seq, attempt).receive(seq, attempt, server=server)
    value = 1 if status in (Status.CACHED, Status.JOINED) else None
    run.answer(seq, attempt, value, status).decide("reply", seq, attempt)
    return run.reply(seq, attempt, value, status)


def request_lost(run: Run) -> Run:
    run.invoke(1).send(1).decide("request", 1, act="drop", rule=0)
    run.send(1, 2).decide("request", 1, 2).run(1, 2).decide("reply", 1, 2).reply(1, 2, run.total).ok(1, run.total)
    return run.healed(2)


def reply_lost(run: Run) -> Run:
    """At-most-once: the repeat is answered from the history."""
    run.invoke(1).send(1).decide("request", 1).run(1).decide("reply", 1, act="drop", rule=0)
    return repeat(run).ok(1, 1).healed(2)


def reply_lost_executed_again(run: Run) -> Run:
    """At-least-once: the repeat is executed."""
    run.invoke(1).send(1).decide("request", 1).run(1).decide("reply", 1, act="drop", rule=0)
    run.send(1, 2).decide("request", 1, 2).run(1, 2).decide("reply", 1, 2).reply(1, 2, run.total).ok(1, run.total)
    return run.healed(2)


def joined(run: Run) -> Run:
    """A copy arrives while the operation executes."""
    run.invoke(1).send(1).decide("request", 1, act="duplicate", rule=0).receive(1).execute(1)
    run.release("request", 1).receive(1).commit(1).answer(1, 1, 1).answer(1, 1, 1, Status.JOINED)
    return run.decide("reply", 1).reply(1, 1, 1).ok(1, 1).healed(2)


def after_trim(run: Run) -> Run:
    """The copy comes after the client said that it had the result."""
    run.trimming = True
    run.invoke(1).send(1).decide("request", 1, act="duplicate", rule=0).run(1).decide("reply", 1)
    run.reply(1, 1, 1).ok(1, 1).invoke(2).send(2).decide("request", 2).receive(2, first=2)
    run.execute(2).commit(2).answer(2, 1, 2).decide("reply", 2).reply(2, 1, 2).ok(2, 2)
    run.release("request", 1).receive(1, first=1).answer(1, 1, None, Status.STALE)
    return run.healed(3)


def crash_after_commit(run: Run) -> Run:
    """At-most-once with a volatile history: the next epoch knows nothing and executes again."""
    run.invoke(1).send(1).decide("request", 1).receive(1).execute(1)
    run.effect(1)
    run.failpoint("after-commit", 1).upstream(False).end(1).serve().upstream(True)
    run.send(1, 2, connection=2).decide("request", 1, 2).run(1, 2).decide("reply", 1, 2).reply(1, 2, 2).ok(1, 2)
    return run.healed(2)


def crash_before_commit(run: Run) -> Run:
    run.invoke(1).send(1).decide("request", 1).receive(1).execute(1)
    run.failpoint("before-commit", 1).upstream(False).end(1).serve().upstream(True)
    run.send(1, 2, connection=2).decide("request", 1, 2).run(1, 2).decide("reply", 1, 2).reply(1, 2, 1).ok(1, 1)
    return run.healed(2)


def overtaken(run: Run) -> Run:
    """Two outstanding operations, of which the first arrives last."""
    run.invoke(1).send(1).decide("request", 1, act="reorder", rule=0)
    run.invoke(2).send(2).decide("request", 2).run(2, first=1).decide("reply", 2).reply(2, 1, 1).ok(2, 1)
    run.release("request", 1, act="reorder").run(1).decide("reply", 1).reply(1, 1, 2).ok(1, 2)
    return run.healed(3)


def connection_cut(run: Run) -> Run:
    run.invoke(1).send(1).decide("request", 1, act="cut", rule=0).run(1).end(1)
    run.send(1, 2, connection=2).decide("request", 1, 2).receive(1, 2).answer(1, 2, 1, Status.CACHED)
    return run.decide("reply", 1, 2).reply(1, 2, 1, Status.CACHED).ok(1, 1).healed(2)


STORIES: dict[Story, tuple[Fault, ...]] = {
    request_lost: (DROP_REQUEST,),
    reply_lost: (DROP_REPLY,),
    joined: (COPY,),
    after_trim: (COPY,),
    overtaken: (OVERTAKEN,),
    connection_cut: (CUT,),
    crash_before_commit: (),
    crash_after_commit: (),
}
"""What a correct mechanism does, at most once, and the faults of it; those of crashes are told by what they did."""
