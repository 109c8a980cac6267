"""What is promised under which models: the rows of docs/semantics.md."""

from __future__ import annotations

from random import Random

import pytest

from chaos.faults.messages import Corrupt, Drop
from chaos.faults.models import Model
from chaos.faults.processes import Kill, Restart
from orchestrator.explore.generate import ours
from orchestrator.explore.theory import brought, excused, expected, promised
from orchestrator.scenario.cell import Cell, Level, Semantics

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


def test_a_budget_of_attempts_may_be_spent_so_no_call_is_promised_to_end_well() -> None:
    assert promised("exactly-once", ["loss"], 3) == "at-most-once"
    assert promised("at-least-once", ["loss"], 3) == "maybe"


def test_a_cell_is_judged_under_the_models_that_its_faults_bring() -> None:
    killed = Kill(kill="server", at="received", nth=1, restart=Restart(state="archive"))
    both = cell(Drop(drop="reply", link=LINK), killed)
    assert brought(both) == ("loss", "server-crash", "history-loss")
    assert excused(both) == {"staleness"}
    delivery = expected(both).delivery
    assert delivery is None or delivery.under == brought(both)


def test_what_flips_bits_excuses_whoever_took_them() -> None:
    assert "replies" in excused(cell(Corrupt(corrupt="reply", link=LINK)))
    assert "once" not in excused(cell(Corrupt(corrupt="reply", link=LINK)))
