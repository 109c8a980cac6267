"""A pause bit what the process went on with only after it, or, where it was killed then, what it never answered."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from history_builder import CLIENT, Run, cell

from chaos.faults.processes import Kill, Pause, Restart
from nodes.wire.record import Kind
from orchestrator.checkers.bites.bite import bite
from orchestrator.checkers.bites.values import Bite
from orchestrator.checkers.setting import Setting
from orchestrator.history.index import Index

FIRST = (CLIENT, 1)
PAUSE = Pause(pause="server", when="client gate 1")
AT = Pause(pause="server", at="received", operation=1)
KILL = Kill(kill="server", when="client gate 1", after=9, restart=Restart())
Story = Callable[[Run], Run]


def sent() -> Run:
    return Run().invoke(1).send(1).decide("request", 1)


def stopped(run: Run) -> Run:
    return run.act("pause", fault=0)


def killed(run: Run) -> Run:
    return run.act("kill", fault=1).reap(9).upstream(False)


def again(run: Run) -> Run:
    """The next epoch executes the second attempt."""
    run.end(1).serve().upstream(True).send(1, 2, connection=2).decide("request", 1, 2)
    return run.run(1, 2).decide("reply", 1, 2).reply(1, 2, 1).ok(1, 1).healed(2)


def found(run: Run, pause: Pause = PAUSE) -> Bite:
    return bite(Setting(cell(faults=(pause, KILL)), Index(run.history())))


@pytest.mark.parametrize(
    "before", [sent, lambda: sent().receive(1), lambda: sent().receive(1).execute(1)], ids=["sent", "received", "begun"]
)
def test_what_waited_when_it_was_killed_is_starved(before: Callable[[], Run]) -> None:
    assert found(again(killed(stopped(before())))).bitten == {FIRST}


def test_so_is_what_came_while_it_was_stopped() -> None:
    late = stopped(Run().invoke(1)).send(1).decide("request", 1)
    assert found(again(killed(late))).rules[0].bitten == {FIRST}


def test_what_came_after_it_was_killed_is_not() -> None:
    run = killed(stopped(Run().invoke(1))).send(1).decide("request", 1)
    assert found(again(run)).rules[0].bitten == frozenset()


def test_what_the_relay_had_not_passed_on_when_it_was_killed_is_not() -> None:
    run = killed(stopped(Run().invoke(1).send(1))).decide("request", 1)
    assert found(again(run)).rules[0].bitten == frozenset()


def test_what_it_had_answered_is_not() -> None:
    assert found(again(killed(stopped(sent().run(1))))).rules[0].bitten == frozenset()


def test_what_did_something_while_it_should_have_been_stopped_is_not() -> None:
    assert found(again(killed(stopped(sent()).receive(1)))).rules[0].bitten == frozenset()


def test_without_a_relay_what_was_sent_is_on_its_way() -> None:
    run = killed(stopped(Run().invoke(1).send(1)))
    run.end(1).serve().send(1, 2, connection=2).run(1, 2).reply(1, 2, 1).ok(1, 1)
    assert found(run.healed(2)).rules[0].bitten == {FIRST}


def ended(run: Run) -> Run:
    return run.commit(1).answer(1, 1, 1).decide("reply", 1).reply(1, 1, 1).ok(1, 1).healed(2)


def test_what_was_sent_only_when_it_went_on_had_not_waited() -> None:
    run = stopped(Run().invoke(1)).act("resume").send(1).decide("request", 1).receive(1).execute(1)
    assert found(ended(run)).rules[0].bitten == frozenset()


def test_what_it_did_while_it_should_have_been_stopped_was_not_stalled() -> None:
    run = stopped(sent()).receive(1).act("resume").execute(1)
    assert found(ended(run)).rules[0].bitten == frozenset()


def at_failpoint() -> Run:
    return sent().receive(1).server(Kind.FAILPOINT, 1, name="received", fault=0)  # type: ignore[no-any-return]


def test_at_a_failpoint_it_is_the_lines_own_operation_that_stalls() -> None:
    run = at_failpoint().act("resume").execute(1).commit(1).answer(1, 1, 1).decide("reply", 1)
    made = found(run.reply(1, 1, 1).ok(1, 1).healed(2), AT)
    assert (made.rules[0].named, made.rules[0].bitten) == ({FIRST}, {FIRST})


def test_a_failpoint_that_did_not_fire_named_its_operation_and_did_nothing() -> None:
    made = found(sent().run(1).decide("reply", 1).reply(1, 1, 1).ok(1, 1).healed(2), AT)
    assert (made.rules[0].named, made.rules[0].applied, made.rules[0].bitten) == ({FIRST}, frozenset(), frozenset())


@pytest.mark.parametrize("other", [{"node": "client"}, {"fault": 1}])
def test_another_ones_pause_is_not_its_own(other: dict[str, object]) -> None:
    run = Run().act("pause", **{"fault": 0, **other})  # type: ignore[arg-type]
    run.invoke(1).send(1).decide("request", 1).act("resume", **({"node": "client"} if "node" in other else {}))  # type: ignore[arg-type]
    made = found(run.run(1).decide("reply", 1).reply(1, 1, 1).ok(1, 1).healed(2))
    assert made.rules[0].bitten == frozenset()
