"""A crowd has bitten what its server had to serve beside it, if the server shows that the crowd came."""

from __future__ import annotations

from dataclasses import replace

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


def crowd(run: Run, active: bool, connected: int = 4, most: int = 4) -> Run:
    if not active:
        run.note("client", 1, Kind.CROWD, rule=0, connected=connected, most=most, refused=0, lacking=0)
    return run.note("client", 1, Kind.RULE, rule=0, active=active)


def judged(
    before: dict[str, int | None], after: dict[str, int | None], fault: Crowd = CROWD, **came: int
) -> tuple[Setting, Bite]:
    """Call 1 is over when the crowd comes, 2 is open meanwhile, 3 comes when it is gone."""
    run = used(Run().call(1), **before)
    crowd(run, True)
    run.call(2)
    used(crowd(run, False, **came), **after).healed(3)
    setting = Setting(cell(faults=(fault,)), Index(run.history()))
    return setting, bite(setting)


@pytest.mark.parametrize(
    ("before", "after", "came"),
    [
        ({}, {"accepted": 4}, {}),
        ({"accepted": 2, "refused": 1}, {"accepted": 6, "refused": 1}, {}),
        ({}, {"accepted": 1, "refused": 1}, {}),
        ({}, {"overflows": 1}, {"connected": 1, "most": 1}),
        ({"overflows": None}, {"accepted": 4, "overflows": None}, {}),
    ],
)
def test_what_was_open_beside_a_crowd_that_came_is_bitten(
    before: dict[str, int | None], after: dict[str, int | None], came: dict[str, int]
) -> None:
    _, found = judged(before, after, **came)
    assert found.bitten == {(CLIENT, 2)}
    assert found.rules[0].models == {"delay": {(CLIENT, 2)}}
    assert found.others == {(CLIENT, 1), (CLIENT, 3)}


@pytest.mark.parametrize(
    ("before", "after", "came"),
    [
        ({}, {}, {}),
        ({}, {"accepted": 3}, {}),
        ({}, {"accepted": 9}, {"most": 3}),
        ({}, {"accepted": 9, "overflows": 5}, {"connected": 0, "most": 0}),
        ({"accepted": 4, "refused": 2, "overflows": 3}, {"accepted": 7, "refused": 2, "overflows": 3}, {}),
        ({"overflows": None}, {"overflows": None}, {}),
    ],
)
def test_a_crowd_that_its_server_or_its_client_does_not_show_bit_nothing(
    before: dict[str, int | None], after: dict[str, int | None], came: dict[str, int]
) -> None:
    setting, found = judged(before, after, **came)
    assert not found.bitten
    assert found.rules[0].named == {(CLIENT, 2)}
    assert found.missed == {(CLIENT, 2)}
    grown = (after.get("accepted") or 0) - (before.get("accepted") or 0)
    said = f"{came.get('most', 4)} of its 4 connections were open at once, and its server accepted {grown} meanwhile"
    assert reason(setting, found.rules[0]) == said


def test_of_those_that_reset_so_many_came_one_after_another() -> None:
    resets = replace(CROWD, crowd="resets")
    assert judged({}, {"accepted": 9}, resets, connected=9, most=2)[1].bitten
    assert not judged({}, {"accepted": 9}, resets, connected=3, most=2)[1].bitten


def test_what_its_client_had_no_room_for_is_told() -> None:
    run = crowd(used(Run()), True).call(2)
    run.note("client", 1, Kind.CROWD, rule=0, connected=1, most=1, refused=0, lacking=7)
    used(run.note("client", 1, Kind.RULE, rule=0, active=False)).healed(3)
    setting = Setting(cell(faults=(CROWD,)), Index(run.history()))
    assert reason(setting, bite(setting).rules[0]).endswith("; its client had no room for 7")


def test_what_its_server_does_much_later_is_not_of_it() -> None:
    run = crowd(used(Run()), True).call(2)
    used(crowd(run, False).wait(600)).wait(600)
    used(run, accepted=9).healed(3)
    assert not bite(Setting(cell(faults=(CROWD,)), Index(run.history()))).bitten


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
