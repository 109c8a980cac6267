"""One contract over every probe and engine: it comes to what is expected, or there is a reason."""

from __future__ import annotations

import sys
from importlib import import_module

import probing
import pytest

from nodes import engines, probes
from nodes.probes.common.probe import Probe
from orchestrator.commands.probe import JOBS, catalogue, expected, machine
from orchestrator.probes.chosen import Asked, choose
from orchestrator.probes.compared import Cell, Verdict, judged
from orchestrator.probes.performed import Work

NAMES = probes.names()
CHOICE = choose(Asked(), engines.NAMES, catalogue(), machine())
TODO = [(name, engine) for engine, several in CHOICE.todo.items() for name in several]

every = pytest.mark.parametrize("name", NAMES)


@pytest.fixture(scope="module")
def cells() -> dict[tuple[str, str], Cell]:
    """All of them done once, engines side by side."""
    works = [Work(one, {name: catalogue()[name].deadline for name in names}) for one, names in CHOICE.todo.items()]
    known = expected()
    return {
        (done.probe, done.engine): judged(*done[:3], known.get((done.probe, done.engine)))
        for done in probing.done(works, JOBS)
    }


@pytest.mark.xdist_group("probes")
@pytest.mark.parametrize(("name", "engine"), TODO)
def test_it_comes_to_what_is_expected(name: str, engine: str, cells: dict[tuple[str, str], Cell]) -> None:
    cell = cells[name, engine]
    assert cell.verdict is Verdict.AS_EXPECTED, "\n".join([cell.why, *map(str, cell.differences), *cell.trace])
    assert cell.trace


def test_what_cannot_be_done_here_has_its_reason() -> None:
    unknown = [f"probe {cell.probe}: {cell.why}" for cell in CHOICE.cells if cell.verdict is Verdict.UNKNOWN]
    if reasons := [*dict.fromkeys(unknown), *CHOICE.notes]:
        pytest.skip("; ".join(reasons))


@every
def test_its_file_says_which_row_it_is(name: str) -> None:
    module = import_module(f"{probes.__name__}.{name.replace('-', '_')}")
    probe: Probe = module.PROBE
    opening = f"Row {probe.row}: " if probe.row.isdecimal() else ""
    assert (module.__doc__ or "").startswith(opening)
    assert probe.title
    assert probe.readiness or probe.completion
    assert bool(probe.only) == bool(probe.only_because)


@every
def test_somebody_takes_it_and_whoever_does_not_has_a_reason(name: str) -> None:
    reasons = {engine: probes.refusal(name, engine) for engine in engines.NAMES}
    assert None in reasons.values()
    assert all(reason is None or len(reason) > 10 for reason in reasons.values())
    assert {*probes.probe(name).only, *probes.probe(name).without} <= set(engines.NAMES)


def test_every_row_of_the_table_has_a_probe() -> None:
    rows = {probe.row for probe in catalogue().values()}
    assert rows >= {str(number) for number in range(1, 36)}


def test_something_is_expected_of_all_that_can_be_done_and_of_nothing_else() -> None:
    """An engine of another system has no place in this one's table."""
    takes = {(name, engine) for name in NAMES for engine in engines.NAMES if not probes.refusal(name, engine)}
    if sys.platform != "linux":
        pytest.skip(f"expectations: nobody has looked at {sys.platform}")
    here = {(name, engine) for name, engine in takes if engines.availability(engine) is None}
    assert here <= expected().keys() <= takes


def test_every_expectation_says_where_it_is_from() -> None:
    assert all(one.source for one in expected("linux").values())
    assert {key for key, one in expected("linux").items() if one.steps is None} == set()


def test_of_a_system_that_nobody_has_looked_at_nothing_is_expected() -> None:
    assert expected("plan9") == {}
