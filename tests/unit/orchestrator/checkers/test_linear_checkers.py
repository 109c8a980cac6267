"""Twice as many operations take twice as many steps of a checker, and not four times: lines of code are counted, loops'
turns among them, and no time is taken."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest
from history_builder import CLIENT, Run, cell
from stories import COPY, CUT, DROP_REPLY, DROP_REQUEST, OVERTAKEN

from chaos.faults.fault import Fault
from chaos.faults.messages import Cut
from orchestrator.checkers.expect import judge
from orchestrator.history.merged import History

MOST = 2.4
"""Times the steps, for twice the operations."""
N = 40


def one_client(run: Run, calls: int) -> None:
    """Every fifth call loses its reply and asks again."""
    for seq in range(1, calls + 1):
        if seq % 5:
            run.call(seq)
            continue
        run.invoke(seq).send(seq).decide("request", seq).run(seq).decide("reply", seq, act="drop", rule=0)
        value = run.total
        run.end(seq, error="end of file").send(seq, 2, connection=2).decide("request", seq, 2).receive(seq, 2)
        run.answer(seq, 2, value, 1).decide("reply", seq, 2).reply(seq, 2, value, 1).ok(seq, value)  # type: ignore[arg-type]


def many_clients(run: Run, calls: int) -> None:
    """All at once: each is invoked before any is answered."""
    clients = [CLIENT + 100 * number for number in range(calls // 2)]
    for seq in (1, 2):
        for client in clients:
            run.invoke(seq, client).send(seq, client=client).decide("request", seq, client=client)
        for client in clients:
            run.run(seq, client=client).decide("reply", seq, client=client).reply(seq, value=run.total, client=client)
            run.ok(seq, run.total, client)


def many_epochs(run: Run, calls: int) -> None:
    """The server dies after each commit."""
    for seq in range(1, calls + 1):
        run.invoke(seq).send(seq).decide("request", seq).receive(seq).execute(seq).commit(seq)
        value = run.total
        run.act("kill", fault=0).failpoint("after-commit", seq).upstream(False).end(seq).serve().upstream(True)
        run.send(seq, 2, connection=seq).decide("request", seq, 2).receive(seq, 2)
        run.answer(seq, 2, value, 1).decide("reply", seq, 2).reply(seq, 2, value, 1).ok(seq, value)  # type: ignore[arg-type]


def never_answered(run: Run, calls: int) -> None:
    """Every call was received and stays open, or was told something that no effect has."""
    for seq in range(1, calls + 1):
        run.invoke(seq).send(seq).decide("request", seq).receive(seq).execute(seq).commit(seq)
        if seq % 2:
            run.reply(seq, value=-seq).ok(seq, -seq)


def one_operation(run: Run, calls: int) -> None:
    """One call needs all these attempts, each of which is executed."""
    run.invoke(1)
    for attempt in range(1, calls + 1):
        run.send(1, attempt, connection=attempt).decide("request", 1, attempt).run(1, attempt)
        run.decide("reply", 1, attempt, act="drop", rule=0).end(1, attempt, attempt)
    run.reply(1, calls, run.total).ok(1, run.total)


def history(story: Callable[[Run, int], None], calls: int) -> History:
    run = Run(histories=(71,) * (calls + 2))
    run.phase("load").hello()
    story(run, calls)
    return run.healed(calls + 1).history()


def steps(faults: tuple[Fault, ...], judged: History, calls: int) -> Counter[str]:
    """File -> the lines that judging took in it."""
    found: Counter[str] = Counter()

    def count(frame: FrameType, event: str, _: Any) -> Any:
        if event == "line":
            found[frame.f_code.co_filename] += 1
        return count

    planned = cell("exactly-once", faults, calls=calls, clients=1)
    before = sys.gettrace()
    sys.settrace(count)
    try:
        judge(planned, judged)
    finally:
        sys.settrace(before)
    parts = {name: name.partition("/orchestrator/")[2] for name in found}
    return Counter({part: found[name] for name, part in parts.items() if part and "/tests/" not in name})


FAULTS = (
    DROP_REPLY,
    DROP_REQUEST,
    COPY,
    CUT,
    OVERTAKEN,
    Cut(cut="after", of="reply", link="client -> server", operations=(1,)),
)


@pytest.mark.parametrize("story", [one_client, many_clients, many_epochs, never_answered, one_operation])
def test_steps_grow_with_the_history(story: Callable[[Run, int], None]) -> None:
    few, many = (steps(FAULTS, history(story, calls), calls) for calls in (N, 2 * N))
    grown = {name: (few[name], many[name]) for name in many if many[name] > MOST * few[name] and many[name] > 20 * N}
    assert not grown, "(lines for N operations, lines for 2 N)"
