"""What is promised under which models: the rows of docs/semantics.md."""

from __future__ import annotations

from random import Random
from typing import get_args

import pytest

from chaos.faults.fault import Fault
from chaos.faults.messages import Corrupt, Drop, Truncate
from chaos.faults.models import Model
from chaos.faults.processes import Kill, Pause, Restart
from orchestrator.explore.generate import ours
from orchestrator.explore.theory import brought, brought_by, excused, expected, promised
from orchestrator.scenario.cell import Cell, Client, Delivery, Expect, Level, Link, Retry, Semantics, Server

LINK = "client -> server"


def cell(*faults: object) -> Cell:
    drawn = ours().draw(Random(1))
    return drawn.model_copy(update={"faults": faults})


@pytest.mark.parametrize(
    ("semantics", "models", "level"),
    [
        ("maybe", ["loss"], "maybe"),
        ("at-least-once", ["loss", "server-crash", "history-loss"], "at-least-once"),
        ("at-most-once", ["loss", "duplication", "reordering", "delay", "connection-cut"], "exactly-once"),
        ("at-most-once", ["loss", "server-crash"], "at-least-once"),
        ("at-most-once-incarnation", ["loss"], "exactly-once"),
        ("at-most-once-incarnation", ["server-crash"], "at-most-once"),
        ("exactly-once", ["loss", "server-crash"], "exactly-once"),
        ("exactly-once", ["server-crash", "history-loss"], "at-most-once"),
    ],
)
def test_a_mechanism_promises_what_it_keeps_under_all_of_the_models(
    semantics: Semantics, models: list[Model], level: Level
) -> None:
    assert promised(semantics, models, None) == level


NETWORK: tuple[Model, ...] = ("loss", "duplication", "reordering", "delay", "connection-cut", "history-trim")
PROMISED: dict[Semantics, tuple[Level, Level, Level]] = {
    "maybe": ("maybe", "maybe", "maybe"),
    "at-least-once": ("at-least-once", "at-least-once", "at-least-once"),
    "at-most-once": ("exactly-once", "at-least-once", "at-least-once"),
    "at-most-once-incarnation": ("exactly-once", "at-most-once", "at-most-once"),
    "exactly-once": ("exactly-once", "exactly-once", "at-most-once"),
}
"""Under any model of the network, a server's crash, and the loss of its history."""


@pytest.mark.parametrize("semantics", PROMISED)
def test_each_mechanism_under_each_model(semantics: Semantics) -> None:
    network, crash, loss = PROMISED[semantics]
    assert {promised(semantics, [model], None) for model in NETWORK} == {network}
    assert promised(semantics, ["server-crash"], None) == crash
    assert promised(semantics, ["history-loss"], None) == loss
    assert set(NETWORK) | {"server-crash", "history-loss"} == set(get_args(Model))


def test_a_budget_of_attempts_may_be_spent_so_no_call_is_promised_to_end_well() -> None:
    assert promised("exactly-once", ["loss"], 3) == "at-most-once"
    assert promised("at-least-once", ["loss"], 3) == "maybe"


def test_a_cell_is_judged_under_the_models_that_its_faults_bring() -> None:
    killed = Kill(kill="server", at="received", nth=1, restart=Restart(state="archive"))
    both = cell(Drop(drop="reply", link=LINK), killed)
    assert brought(both) == ("loss", "server-crash", "history-loss")
    assert excused(both) == frozenset()
    delivery = expected(both).delivery
    assert delivery is None or delivery.under == brought(both)


def test_who_wakes_beside_its_successor_may_answer_reads_by_what_it_knew() -> None:
    assert "staleness" in excused(cell(Pause(pause="server", at="received", nth=1, restart=Restart())))
    assert "staleness" not in excused(cell(Pause(pause="server", at="received", nth=1)))


def test_what_flips_bits_excuses_whoever_took_them() -> None:
    corrupt = Corrupt(corrupt="reply", link=LINK)
    lost = Kill(kill="server", at="received", nth=1, restart=Restart(state="archive"))
    took = {"valid", "complete", "staleness"}
    assert excused(cell()) == excused(cell(Drop(drop="reply", link=LINK))) == frozenset()
    assert excused(cell(corrupt)) == excused(cell(lost, corrupt)) == took
    assert excused(cell(lost)) == frozenset()


def test_what_has_no_effect_is_to_be_valid_and_nothing_else() -> None:
    made = cell(Drop(drop="reply", link=LINK))
    reading = made.model_copy(update={"nodes": {**made.nodes, "server": Server(service="echo")}})
    assert expected(reading) == Expect.model_validate({"valid": "holds"})


def test_of_several_links_it_is_what_all_of_them_promise_over_those_the_faults_are_on() -> None:
    mechanisms = ("at-least-once", "exactly-once")
    links = tuple(
        Link.model_validate({"from": "client", "to": target, "semantics": semantics, "transport": transport})
        for target, semantics, transport in zip(("one", "two"), mechanisms, ("tcp", "udp"), strict=True)
    )
    servers = {name: Server(service="counter") for name in ("one", "two")}
    client = Client(workload="add", calls=4, after_heal=1)
    made = cell().model_copy(update={"nodes": {**servers, "client": client}, "links": links})

    def under(*faults: Fault, budget: int | None = None) -> Delivery | None:
        nodes = {**made.nodes, "client": client.model_copy(update={"retry": Retry(attempts=budget)})}
        return expected(made.model_copy(update={"faults": faults, "nodes": nodes})).delivery

    lost = Drop(drop="reply", link="client -> two")
    assert under(lost) == Delivery(holds="at-least-once", under=("loss",))
    assert under(lost, budget=2) == Delivery(holds="maybe", under=("loss",))
    assert under() == Delivery(holds="at-least-once", under=())
    assert under(Kill(kill="one", after=1), lost) == Delivery(holds="at-least-once", under=("loss", "server-crash"))
    halved = [Truncate(truncate="reply", link=link.name) for link in links]
    assert [brought_by(made.model_copy(update={"faults": (fault,)}), 0) for fault in halved] == [
        ("connection-cut",),
        ("loss",),
    ]
