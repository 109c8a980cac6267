"""Cells that nobody wrote: each could be written, and reads the same when it was."""

from __future__ import annotations

from random import Random

import pytest

from chaos.faults.processes import Kill, Pause
from chaos.faults.vocabulary import FAULTS
from chaos.supports import PLANE_OF, SUPPORTS
from orchestrator.backends import named
from orchestrator.explore.generate import ABOUT, NAME, Barren, Ground, fresh, mutated, ours
from orchestrator.explore.words import DRAWN
from orchestrator.explore.written import written
from orchestrator.scenario.cell import Cell
from orchestrator.scenario.coherence import problems
from orchestrator.scenario.plan import expand

CELLS = 150


def drawn(seed: int, number: int = CELLS) -> list[Cell]:
    ground, made = ours(), list[Cell]()
    for place in range(number):
        random = Random(f"{seed}/{place}")
        parent = random.choice(made) if place % 2 else None
        made.append((mutated(ground, parent, random) if parent else fresh(ground, random)).cell)
    return made


def test_every_cell_could_be_written_and_reads_the_same() -> None:
    for cell in drawn(1):
        assert list(problems(cell)) == []
        assert expand(written(cell, NAME, ABOUT), "drawn").cells == (cell,)


def test_the_simulator_can_run_every_one_of_them() -> None:
    assert not [problem for cell in drawn(2) for problem in named("sim").problems(cell)]


def test_one_source_of_chance_draws_one_cell() -> None:
    assert drawn(3, 20) == drawn(3, 20)
    assert drawn(3, 20) != drawn(4, 20)


def test_every_word_is_drawn_that_the_simulator_can_do() -> None:
    of_relay = {word for word, kind in FAULTS.items() if kind in SUPPORTS[PLANE_OF["relay"]]}
    assert set(DRAWN) == of_relay | {"kill", "pause"}
    assert {fault.verb for cell in drawn(5, 400) for fault in cell.faults} == set(DRAWN)


def test_a_gate_that_waits_for_another_epoch_has_a_kill_that_brings_it_before_its_call() -> None:
    gated = [cell for cell in drawn(6, 400) if cell.clients["client"].gates]
    assert gated
    for cell in gated:
        ((call, trigger),) = cell.clients["client"].gates.items()
        strikes = [fault for fault in cell.faults if isinstance(fault, Kill | Pause) and (fault.operation or 0) < call]
        assert any(kill.restart is not None or (trigger == "server down 1" and kill.deadly) for kill in strikes)


def test_what_may_wait_for_a_next_epoch_is_drawn_for_a_cell_that_has_one() -> None:
    """Most of what it waits for is a kill beside it: of those drawn else nearly all would be drawn again."""
    later = [cell for cell in drawn(7, 400) if any(getattr(fault, "copy", "") == "next-epoch" for fault in cell.faults)]
    assert len(later) > 4
    for cell in later:
        assert any(isinstance(fault, Kill) and fault.restart is not None for fault in cell.faults)


def test_a_cell_whose_gates_nothing_opens_is_drawn_again() -> None:
    def gate(trigger: str) -> Ground:
        client = ours().draw(Random(1)).clients["client"].model_copy(update={"calls": 4, "gates": {2: trigger}})
        return Ground(
            lambda random: (cell := ours().draw(random)).model_copy(
                update={"nodes": {**cell.nodes, "client": client.model_copy(update={"workload": "add"})}}
            ),
            ours().vary,
            ("drop",),
        )

    with pytest.raises(Barren, match="1000 cells were drawn, and none of them fits together"):
        fresh(gate("server ready 2"), Random(1))
    assert fresh(gate("server ready 1"), Random(1)).cell.clients["client"].gates
