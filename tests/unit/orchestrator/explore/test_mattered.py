"""What a fault did in a run, as a fault that does that alone."""

from __future__ import annotations

from typing import Any

import pytest

from chaos.decisions import Awaits, Decision, Keep
from chaos.decisions import Drop as Dropped
from chaos.faults.fault import Fault
from chaos.faults.messages import Cut, Delay, Drop
from chaos.faults.paths import Partition
from chaos.faults.processes import Kill, Pause
from chaos.identity import Key
from chaos.recorded import Entry
from orchestrator.explore.mattered import mattered
from orchestrator.scenario.cell import Cell, Client, Expect, Link, Server
from orchestrator.scenario.log import Log, Passage, Strike

LINK = "client -> server"


def cell(fault: Fault, clients: int = 1) -> Cell:
    return Cell(
        scenario="s",
        about="",
        cell="-",
        axes={},
        seed=1,
        nodes={"server": Server(service="counter"), "client": Client(workload="add", calls=6, clients=clients)},
        links=(Link.model_validate({"from": "client", "to": "server", "semantics": "maybe"}),),
        faults=(fault,),
        expect=Expect(),
    )


def entry(seq: int, decision: Decision = Dropped(), rule: int = 0, attempt: int = 1, occurrence: int = 1) -> Entry:  # noqa: B008
    return Entry(Key(LINK, "reply", 10_201, seq, attempt, occurrence), rule, decision)


def found(fault: Fault, *decisions: Entry, clients: int = 1, strikes: tuple[Strike, ...] = ()) -> list[Fault]:
    return list(mattered(cell(fault, clients), 0, Log(run="r", decisions=decisions, strikes=strikes)))


@pytest.mark.parametrize("choice", [{"probability": 0.5}, {"every": 1}, {"operations": (2, 3)}, {}])
def test_each_message_that_it_met_may_be_the_one(choice: dict[str, Any]) -> None:
    fault = Drop(drop="reply", link=LINK, attempt="all", **choice)
    assert found(fault, entry(2), entry(3, attempt=2)) == [
        Drop(drop="reply", link=LINK, operations=(2,)),
        Drop(drop="reply", link=LINK, operations=(3,), attempt=2),
    ]


def test_one_of_several_processes_is_named() -> None:
    fault = Cut(cut="after", of="reply", link=LINK)
    assert found(fault, entry(4), clients=3) == [Cut(cut="after", of="reply", link=LINK, operations=(4,), clients=(2,))]


def test_what_was_not_done_by_it_or_cannot_be_named_is_nothing() -> None:
    named = Drop(drop="reply", link=LINK, operations=(2,))
    assert found(named, entry(2)) == []
    assert found(Drop(drop="reply", link=LINK), entry(0), entry(2, occurrence=2), entry(3, rule=1)) == []


def test_a_delay_takes_as_long_as_it_took() -> None:
    fault = Delay(delay="reply", link=LINK, by=5, jitter=60)
    took = entry(2, Keep(Awaits.TIME, by=41_700_000))
    assert found(fault, took) == [Delay(delay="reply", link=LINK, by=41, operations=(2,))]


def test_a_partition_is_the_message_that_it_lost() -> None:
    fault = Partition(partition="both", link=LINK, after=3)
    assert found(fault, entry(2)) == [Drop(drop="reply", link=LINK, operations=(2,))]


def test_a_passage_is_an_operation_s() -> None:
    struck = Strike(fault=0, node="server", epoch=2, passage=Passage(10_101, 4, 2))
    fault = Kill(kill="server", at="received", nth=5)
    assert found(fault, strikes=(struck,)) == [Kill(kill="server", at="received", operation=4, attempt=2, epoch=2)]
    named = Kill(kill="server", at="received", operation=4)
    assert found(named, strikes=(struck,)) == []


@pytest.mark.parametrize(
    ("told", "when"),
    [
        ("client attempt 2.3 of 1", "client attempt 2"),
        ("client end 1 of 1", "client end 1"),
        ("client invoke 2 of 1", None),
    ],
)
def test_a_time_is_what_the_client_did_before_it(told: str, when: str | None) -> None:
    struck = Strike(fault=0, node="server", epoch=1, when=told)
    fault = Pause(pause="server", after=20, lasts=5)
    assert found(fault, strikes=(struck,)) == ([Pause(pause="server", when=when, lasts=5)] if when else [])
