"""A crowd has bitten what its server had to serve beside it, if the server shows that the crowd came."""

from __future__ import annotations

import pytest
from history_builder import CLIENT, Run, cell
from stories import LINK

from chaos.faults.peers import Crowd
from nodes.wire.record import Kind
from orchestrator.checkers.bites.bite import bite
from orchestrator.checkers.bites.idle import reason
from orchestrator.checkers.bites.values import Bite, RuleBite
from orchestrator.checkers.setting import Setting
from orchestrator.history.index import Index

CROWD = Crowd(crowd="silent", link=LINK, connections=4, when="client gate 2")
NONE = {"accepted": 0, "refused": 0, "overflows": 0}


def used(run: Run, **counts: int | None) -> Run:
    return run.note("server", 1, Kind.USAGE, **NONE | counts)


def crowd(run: Run, active: bool, connected: int = 4) -> Run:
    return run.note("client", 1, Kind.RULE, rule=0, active=active, connected=connected, refused=0)


def judged(before: dict[str, int | None], after: dict[str, int | None], fault: Crowd = CROWD) -> tuple[Setting, Bite]:
    """Call 1 is over when the crowd comes, 2 is open meanwhile, 3 comes when it is gone."""
    run = used(Run().call(1), **before)
    crowd(run, True)
    run.call(2)
    used(crowd(run, False), **after).healed(3)
    setting = Setting(cell(faults=(fault,)), Index(run.history()))
    return setting, bite(setting)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({}, {"accepted": 4}),
        ({"accepted": 2, "refused": 1}, {"accepted": 6, "refused": 1}),
        ({}, {"accepted": 1, "refused": 1}),
        ({}, {"overflows": 1}),
        ({"overflows": None}, {"accepted": 4, "overflows": None}),
    ],
)
def test_what_was_open_beside_a_crowd_that_came_is_bitten(before: dict[str, int], after: dict[str, int]) -> None:
    _, found = judged(before, after)
    assert found.bitten == {(CLIENT, 2)}
    assert found.rules[0].models == {"delay": {(CLIENT, 2)}}
    assert found.others == {(CLIENT, 1), (CLIENT, 3)}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({}, {}),
        ({}, {"accepted": 3}),
        ({"accepted": 4, "refused": 2, "overflows": 3}, {"accepted": 7, "refused": 2, "overflows": 3}),
        ({"overflows": None}, {"overflows": None}),
    ],
)
def test_a_crowd_that_its_server_does_not_show_bit_nothing(before: dict[str, int], after: dict[str, int]) -> None:
    setting, found = judged(before, after)
    assert not found.bitten
    assert found.rules[0].named == {(CLIENT, 2)}
    assert found.missed == {(CLIENT, 2)}
    assert reason(setting, found.rules[0]) == "4 of its connections were let in, and its server shows none of it"


def test_it_is_not_known_of_a_server_that_says_nothing() -> None:
    run = crowd(Run(), True).call(1)
    setting = Setting(cell(faults=(CROWD,)), Index(crowd(run, False).healed(3).history()))
    assert not bite(setting).bitten


def test_why_a_crowd_bit_nothing() -> None:
    def why(run: Run) -> str:
        setting = Setting(cell(faults=(CROWD,)), Index(run.history()))
        (rule,) = bite(setting).rules
        assert rule == RuleBite(0, frozenset(), frozenset(), frozenset())
        return reason(setting, rule)

    assert why(Run().call(1).healed(9)) == "its trigger 'client gate 2' did not come before heal"
    alone = crowd(crowd(Run().call(1), True), False)
    assert why(alone.healed(9)) == "no operation of its server was open while it was there"
