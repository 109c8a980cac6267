"""A kill has bitten only if its signal reaped the process, and a failpoint only if nothing was journalled after it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from history_builder import CLIENT, Run, cell
from stories import kill

from chaos.faults.fault import Fault
from chaos.faults.processes import Kill, Restart
from nodes.wire.record import Kind
from orchestrator.checkers.bites.bite import bite
from orchestrator.checkers.bites.values import Bite
from orchestrator.checkers.setting import Setting
from orchestrator.history.index import Index

FIRST = (CLIENT, 1)
AT_FAILPOINT = kill("before-commit")
TIMED = Kill(kill="server", when="client gate 1", restart=Restart())
SIGTERM, SIGSEGV, SIGKILL = 15, 11, 9
Story = Callable[[], Run]


def bites(run: Run, fault: Fault) -> Bite:
    """What `fault` bit; the server is started again, and the operation repeated."""
    run.upstream(False).end(1).serve().upstream(True)
    run.send(1, 2, connection=2).decide("request", 1, 2).run(1, 2).decide("reply", 1, 2).reply(1, 2, 1).ok(1, 1)
    return bite(Setting(cell(faults=(fault,)), Index(run.healed(2).history())))


def begun() -> Run:
    return Run().invoke(1).send(1).decide("request", 1).receive(1).execute(1)


def fired() -> Run:
    return begun().server(Kind.FAILPOINT, 1, name="before-commit")


def shot() -> Run:
    return begun().act("kill", fault=0)


stories = pytest.mark.parametrize(
    ("story", "fault"), [(fired, AT_FAILPOINT), (shot, TIMED)], ids=["failpoint", "timed"]
)


@stories
def test_killed_by_its_signal_it_has_bitten(story: Story, fault: Fault) -> None:
    found = bites(story().reap(SIGKILL), fault)
    assert (found.bitten, found.idle) == ({FIRST}, ())


@pytest.mark.parametrize(("restart", "bitten"), [(None, {FIRST}), (Restart(), set())])
def test_one_that_did_not_come_back_has_bitten_if_it_was_not_to(
    restart: Restart | None, bitten: set[tuple[int, int]]
) -> None:
    run = shot().reap(SIGKILL).upstream(False).end(1).info(1)
    fault = Kill(kill="server", when="client gate 1", restart=restart)
    assert bite(Setting(cell(faults=(fault,)), Index(run.ended().unfinished()))).bitten == bitten


@pytest.mark.parametrize("signal", [0, SIGTERM, SIGSEGV])
@stories
def test_ended_by_anything_else_it_has_not(story: Story, fault: Fault, signal: int) -> None:
    found = bites(story().reap(signal), fault)
    assert (found.bitten, found.idle) == (frozenset(), (0,))


@stories
def test_nobody_saw_it_end_so_it_has_not(story: Story, fault: Fault) -> None:
    assert bites(story(), fault).idle == (0,)


def test_a_line_behind_the_failpoints_shows_that_it_lived_on() -> None:
    assert bites(fired().commit(1).reap(SIGKILL), AT_FAILPOINT).idle == (0,)
    another = fired().server(Kind.FAILPOINT, 1, name="after-commit").reap(SIGKILL)
    assert bites(another, AT_FAILPOINT).idle == (0,)


def test_a_timed_kill_may_come_behind_any_line() -> None:
    assert bites(shot().commit(1).reap(SIGKILL), TIMED).bitten == {FIRST}


def test_the_line_of_another_fault_is_not_its_own() -> None:
    others = begun().server(Kind.FAILPOINT, 1, name="before-commit", fault=1)
    assert bites(others.reap(SIGKILL), AT_FAILPOINT).idle == (0,)


@pytest.mark.parametrize("other", [{"operation": 2}, {"attempt": 2}, {"client": 2}])
def test_of_a_line_that_does_not_say_whose_it_is_the_operation_tells(other: dict[str, int]) -> None:
    assert bites(fired().reap(SIGKILL), replace(AT_FAILPOINT, **other)).idle == (0,)  # type: ignore[arg-type]
