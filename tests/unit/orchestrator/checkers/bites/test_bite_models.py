"""Of which failure model a bite was, where its fault alone does not say it."""

from __future__ import annotations

from typing import Any

import pytest
from history_builder import CLIENT, Run, cell
from stories import (
    COPY,
    CUT,
    DROP_REPLY,
    LINK,
    OVERTAKEN,
    after_trim,
    connection_cut,
    crash_after_commit,
    joined,
    kill,
    overtaken,
    reply_lost,
)

from chaos.faults.fault import Fault
from chaos.faults.messages import Corrupt, Hold
from chaos.faults.packets import Netem, Shape
from chaos.faults.paths import Partition
from nodes.wire.record import Kind
from orchestrator.checkers.bites.bite import bite
from orchestrator.checkers.setting import Setting
from orchestrator.history.index import Index

HOLD = Hold(hold="request", link=LINK, operations=(1,))
CORRUPT = Corrupt(corrupt="request", link=LINK, operations=(1,))
PARTITION = Partition(partition="request", link=LINK)
ARCHIVING = kill("after-commit", "archive")
NETEM = Netem(netem=Shape(delay=50, loss=0.1, duplicate=0.1), link=LINK)


def models(run: Run, *faults: Fault, **options: Any) -> set[str]:
    """Of the bites of operation 1."""
    found = bite(Setting(cell(faults=faults, **options), Index(run.history()))).models
    return {model for model, operations in found.items() if (CLIENT, 1) in operations}


def held(run: Run, *, overtaking: bool) -> Run:
    run.invoke(1).send(1).decide("request", 1, act="hold", rule=0)
    if overtaking:
        run.call(2)
    run.release("request", 1, act="hold").run(1, first=1).decide("reply", 1).reply(1, 1, run.total)
    return run.ok(1, run.total).healed(3)


def corrupted(run: Run, *, taken: bool) -> Run:
    """Executed with another value, or not at all."""
    run.invoke(1).send(1).decide("request", 1, act="corrupt", rule=0)
    if taken:
        run.receive(1).server(Kind.EXECUTE, 1, 1, CLIENT, intent=1, f="add", value=77)
    return run.info(1).healed(2)


def partitioned(run: Run, *, ended: bool) -> Run:
    """By the kernel: the segment came 300 ms later, or the connection ended."""
    run.invoke(1).rule(True).send(1).counter("request", 1)
    if ended:
        run.end(1, error="ConnectionResetError").rule(False).send(1, 2, connection=2).run(1, 2)
    else:
        run.wait(300).rule(False).run(1)
    return run.reply(1, 1 + ended, 1).ok(1, 1).healed(2)


def shaped(run: Run, copies: int) -> Run:
    """By netem: so many copies came, each late."""
    run.invoke(1).rule(True).send(1)
    for _ in range(copies):
        run.wait(50).receive(1)
    return run.info(1).counter("request", 1).rule(False).healed(2)


@pytest.mark.parametrize(
    ("run", "fault", "expected"),
    [
        (reply_lost(Run()), DROP_REPLY, {"loss"}),
        (joined(Run()), COPY, {"duplication"}),
        (overtaken(Run()), OVERTAKEN, {"reordering"}),
        (connection_cut(Run()), CUT, {"connection-cut"}),
        (after_trim(Run()), COPY, {"duplication", "history-trim"}),
        (crash_after_commit(Run()), kill("after-commit"), {"server-crash"}),
        (
            crash_after_commit(Run(histories=(71, 72))),
            kill("after-commit", "archive"),
            {"server-crash", "history-loss"},
        ),
        (held(Run(), overtaking=False), HOLD, {"delay"}),
        (held(Run(), overtaking=True), HOLD, {"delay", "reordering"}),
        (corrupted(Run(), taken=True), CORRUPT, set()),
    ],
)
def test_of_a_fault_on_messages_or_a_process(run: Run, fault: Fault, expected: set[str]) -> None:
    assert models(run, fault) == expected


def test_what_does_not_decode_is_lost() -> None:
    assert models(corrupted(Run(), taken=False), CORRUPT, transport="udp") == {"loss"}
    assert models(corrupted(Run(), taken=False), CORRUPT, transport="tcp") == {"loss"}


@pytest.mark.parametrize(("ended", "expected"), [(False, {"delay"}), (True, {"connection-cut"})])
def test_a_kernels_partition_of_a_stream_delays_it_or_ends_it(ended: bool, expected: set[str]) -> None:
    assert models(partitioned(Run(), ended=ended), PARTITION, via="direct") == expected


def test_a_relays_partition_loses_messages_of_either() -> None:
    run = Run().invoke(1).send(1).rule(True).decide("request", 1, act="partition", rule=0).info(1).rule(False)
    assert models(run.healed(2), PARTITION) == {"loss"}


@pytest.mark.parametrize(("copies", "expected"), [(0, "loss"), (1, "delay"), (2, "duplication")])
def test_of_several_chances_it_is_what_became_of_the_message(copies: int, expected: str) -> None:
    assert models(shaped(Run(), copies), NETEM, via="direct", transport="udp") == {expected}
