"""What is explored of a scenario: its own words, nodes and links, judged by theory."""

from __future__ import annotations

from random import Random

import pytest

from chaos.faults.fault import Fault
from chaos.faults.messages import Drop, Duplicate
from chaos.faults.packets import Loss
from chaos.faults.streams import Down
from orchestrator.explore.generate import fresh, mutated
from orchestrator.explore.subject import Subject, Unexplorable, of_scenario
from orchestrator.explore.theory import expected
from orchestrator.scenario.cell import Cell, Expect
from orchestrator.scenario.plan import expand

LINK = "client -> server"
DROP = Drop(drop="request", link=LINK, operations=(1,))
COPY = Duplicate(duplicate="request", link=LINK, operations=(1,))
LOSS = Loss(link=LINK, loss="both", every=3)
UNDER_LOSS = {"holds": "exactly-once", "under": ["loss"]}
TEXT = """
scenario: explored
matrix: {mechanism: [at-most-once, exactly-once]}
nodes:
  server: {service: counter}
  client: {workload: add, calls: 3, after_heal: 1}
links:
  - {from: client, to: server, semantics: "${mechanism}"}
expect: {valid: holds}
"""
NAMES = ["mechanism=at-most-once", "mechanism=exactly-once"]


def cells(*faults: Fault, **expect: object) -> tuple[Cell, ...]:
    found = expand(TEXT, "f").cells
    told = {"faults": faults, "expect": Expect.model_validate(expect)}
    return tuple(cell.model_copy(update=told) for cell in found)


def test_only_cells_with_a_word_that_is_drawn_are_explored() -> None:
    with_drop, with_loss = cells(LOSS, DROP)[0], cells(LOSS)[1]
    assert of_scenario((with_loss, with_drop)) == Subject(None, (with_drop,))
    assert of_scenario((with_drop, with_drop)).cells == (with_drop, with_drop)


@pytest.mark.parametrize(
    ("faults", "found"),
    [((LOSS, Down(down=True, link=LINK), LOSS), "it has down, loss"), ((), "it has no faults")],
)
def test_where_nothing_varies_it_says_what_there_is_and_what_would_do(faults: tuple[Fault, ...], found: str) -> None:
    with pytest.raises(Unexplorable) as refused:
        of_scenario(cells(*faults))
    assert str(refused.value) == (
        f"none of its faults varies: {found}; expected one of corrupt, cut, delay, drop, duplicate, hold, kill, "
        "partition, pause, rate, reorder, slice, truncate"
    )


def test_the_product_is_explored_where_there_is_no_scenario() -> None:
    assert Subject("no-join").ground.draw(Random(1)).links[0].variant == "no-join"
    assert Subject().ground.draw(Random(1)).links[0].variant is None


def test_faults_are_of_its_words_and_its_cells_are_drawn_and_take_one_anothers_place() -> None:
    some = cells(LOSS, DROP, COPY, DROP)
    ground = Subject(cells=some).ground
    assert ground.verbs == ("drop", "duplicate")
    assert {ground.draw(Random(number)).cell for number in range(20)} == set(NAMES)
    other = some[0].model_copy(update={"faults": (COPY,)})
    varied = [ground.vary(other, Random(number)) for number in range(20)]
    assert {cell.cell for cell in varied} == set(NAMES)
    assert {cell.faults for cell in varied} == {(COPY,)}


@pytest.mark.parametrize("claims", [{"delivery": UNDER_LOSS}, {"once": "holds"}, {"convicted_by": ["replies"]}])
def test_it_is_judged_by_what_theory_promises_under_the_faults_that_are_drawn(claims: dict[str, object]) -> None:
    ground = Subject(cells=cells(DROP, COPY, **claims)).ground
    drawn = [fresh(ground, Random(number)).cell for number in range(20)]
    drawn += [mutated(ground, cell, Random(number)).cell for number, cell in enumerate(drawn)]
    assert [cell.expect for cell in drawn] == [expected(cell) for cell in drawn]
    assert len({cell.expect for cell in drawn}) > 2
