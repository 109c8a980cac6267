"""What a server says that it used is looked at before it is believed."""

from __future__ import annotations

from typing import Any

import pytest
from history_builder import Run, cell
from stories import LINK

from chaos.faults.peers import Crowd
from nodes.wire.record import Kind
from orchestrator.checkers.evidence import OF_THE_RUN, problems
from orchestrator.checkers.gate.records import records_are_by_whom_they_can_be
from orchestrator.checkers.gate.samples import crowds_tell_how_large_they_were, samples_are_there
from orchestrator.checkers.views import Views
from orchestrator.history.index import Index
from orchestrator.scenario.cell import Expect, Outcome

SAMPLE = {
    "cpu": 5,
    "voluntary": 4,
    "involuntary": 3,
    "accepted": 2,
    "ended": 1,
    "refused": 1,
    "full": 1,
    "overflows": 1,
    "reused": 1,
}


def gate(*samples: dict[str, Any], after_stop: bool = False, node: str = "server", seq: int = 0) -> list[str]:
    """What is said of samples that is not said of the run without them."""
    found: list[set[str]] = []
    for some in ((), samples):
        run = Run().phase("load").hello().call(1)
        if not after_stop:
            for sample in some:
                run.note(node, 1, Kind.USAGE, 0, seq, 0, **{**SAMPLE, **sample})
        run.healed(2)
        if after_stop:
            for sample in some:
                run.note(node, 1, Kind.USAGE, 0, seq, 0, **{**SAMPLE, **sample})
        found.append(set(problems(Views(cell(), Index(run.history())), OF_THE_RUN)))
    return sorted(found[1] - found[0])


def test_counts_that_grow_or_stay_are_believed() -> None:
    assert gate({}, {}, {"cpu": 9, "full": 2}) == []
    assert gate({"full": None}, {"full": None}) == []


@pytest.mark.parametrize("key", SAMPLE)
def test_no_count_falls(key: str) -> None:
    told = f"server, epoch 1 says {key} {SAMPLE[key]}, and then 0; what is counted never falls"
    assert gate({}, {key: 0}, {}) == [told]


def test_none_is_below_nothing() -> None:
    assert gate({"refused": -1}) == ["server, epoch 1 says refused 0, and then -1; what is counted never falls"]


def stopped(last: Kind, expect: Expect) -> list[str]:
    """What is said of a server that wrote this before its end."""
    run = Run().phase("load").hello().call(1).note("server", 1, Kind.USAGE, **SAMPLE)
    if last is not Kind.USAGE:
        run.call(2)
    run.note("server", 1, Kind.STOP)
    made = Views(cell(expect=expect), Index(run.unfinished()))
    return list(samples_are_there(made))


def test_who_stops_in_order_says_last_what_it_used() -> None:
    said = "server, epoch 1 stopped, and did not say before what it had used"
    strained = Expect(strained=("numbers-reused",))
    assert stopped(Kind.USAGE, strained) == []
    assert stopped(Kind.ANSWER, strained) == [said]
    assert stopped(Kind.ANSWER, Expect(others=Outcome(client="ok", executions="1"))) == []


CROWD = Crowd(crowd="silent", link=LINK, connections=4)


def crowded(*told: dict[str, int], node: str = "client", rule: int = 0) -> list[str]:
    """What is said of a crowd whose client told this of it."""
    run = Run().phase("load").hello().note("client", 1, Kind.RULE, rule=0, active=True).call(1)
    for one in told:
        run.note(node, 1, Kind.CROWD, **{"rule": rule, "connected": 5, "most": 4, "refused": 0, "lacking": 0, **one})
    run.note("client", 1, Kind.RULE, rule=0, active=False).healed(2)
    views = Views(cell(faults=(CROWD,)), Index(run.history()))
    return [*crowds_tell_how_large_they_were(views), *records_are_by_whom_they_can_be(views)]


def test_a_crowd_is_told_of_once_by_its_client() -> None:
    assert crowded({}) == []
    unsaid = "client ended the crowd of rule 0, and did not say once how large it had been"
    assert crowded() == [unsaid]
    assert crowded({}, {}) == [unsaid]
    assert crowded({}, node="server") == ["server journalled CROWD, which is not its to say"]
    assert "client journalled CROWD, which is not its to say" in crowded({}, rule=3)


@pytest.mark.parametrize("told", [{"most": 5}, {"connected": 3}, {"refused": -1}, {"lacking": -2}, {"most": -1}])
def test_a_crowd_is_no_larger_than_it_can_be(told: dict[str, int]) -> None:
    (said,) = crowded(told)
    assert said.startswith("client says that {'rule': 0,")
    assert said.endswith("was a crowd of 4")


def test_who_can_count_always_can() -> None:
    assert gate({"overflows": None}, {}) == [
        "server, epoch 1 says overflows None, and then 1; what is counted never falls"
    ]


@pytest.mark.parametrize(("key", "value"), [("cpu", None), ("refused", "1"), ("full", "x"), ("accepted", 1.5)])
def test_each_is_a_number(key: str, value: object) -> None:
    assert any(f"journalled USAGE, and its {key} is {value!r}" in problem for problem in gate({key: value}))


def test_nothing_comes_after_a_servers_end() -> None:
    assert gate({}, after_stop=True) == ["the journal of server, epoch 1 ends with USAGE, and nobody killed it"]


def test_only_servers_say_it_and_it_is_of_no_call() -> None:
    assert "client journalled USAGE, which is not its to say" in gate({}, node="client")
    assert gate({}, seq=1) == ["server journalled USAGE with seq 1, which that has not"]
