"""One contract over every checker that the registry knows, and the broken variants that each must convict."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import get_args

import kill_matrix
import pytest
import suite
from history_builder import Run, cell
from suite import Ran

from orchestrator.backends import named
from orchestrator.backends.refusals import OF_ENGINES
from orchestrator.checkers import properties, views
from orchestrator.checkers.checker import finding
from orchestrator.checkers.expect import judge
from orchestrator.checkers.finding import verdict
from orchestrator.checkers.gate.fields import malformed
from orchestrator.checkers.guarded import Guard
from orchestrator.checkers.properties import CHECKERS
from orchestrator.checkers.verdict import Judgement, Verdict
from orchestrator.checkers.views import View, Views
from orchestrator.history.index import Index
from orchestrator.history.merged import History, merge
from orchestrator.scenario.cell import LEVELS, Cell, Implicit
from orchestrator.scenario.shipped import names, plans

every = pytest.mark.parametrize("name", CHECKERS)


def asking(of: Cell, *asked: str) -> Cell:
    """The cell, with these properties expected, or all."""
    return of.model_copy(update={"expect": of.expect.model_copy(update=dict.fromkeys(asked or CHECKERS, "holds"))})


def test_every_file_is_a_pure_checker_of_its_name() -> None:
    files = {path.stem for path in Path(properties.__path__[0]).glob("*.py")} - {"__init__"}
    assert files == CHECKERS.keys()
    for name in files:
        module = import_module(f"{properties.__name__}.{name}")
        assert module.name == name
        assert (module.__doc__ or "").startswith("PURE: ")
        assert all(isinstance(view, View) for view in module.needs)


def test_what_levels_are_made_of_and_what_is_always_judged_is_a_checker() -> None:
    assert {*get_args(Implicit), *(name for level in LEVELS.values() for name in level)} <= CHECKERS.keys()


@every
def test_an_empty_history_exercises_nothing(name: str) -> None:
    setting = Views(asking(cell(), name), Index(merge({})))
    assert verdict(CHECKERS[name].check(setting)).verdict is Verdict.NOT_EXERCISED
    assert verdict(finding(CHECKERS[name], setting)).verdict is Verdict.NOT_EXERCISED


class Crashing(Views):
    """Shows everything, and none of it can be looked at."""

    shown = frozenset(View)
    failed = {}  # noqa: RUF012

    def __init__(self) -> None:
        self.guard = Guard()


@every
def test_one_that_crashes_knows_nothing(name: str) -> None:
    found = verdict(finding(CHECKERS[name], Crashing()))
    assert found.verdict is Verdict.UNKNOWN
    assert found.note.startswith("a checker crashed: AttributeError: ")


@every
@pytest.mark.parametrize(("view", "made_by"), [(View.BITES, "bite"), (View.OPPORTUNITIES, "offered")])
def test_without_a_view_that_it_needs_it_knows_nothing(
    name: str, view: View, made_by: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(_: object) -> None:
        raise KeyError("act")

    monkeypatch.setattr(views, made_by, crash)
    found = finding(CHECKERS[name], Views(cell(), Index(Run().call(1).healed(2).history())))
    assert bool(found.failure) is (view in CHECKERS[name].needs)


@pytest.fixture(scope="module")
def shipped() -> list[tuple[str, History, Judgement]]:
    """The first and the last cell of every shipped scenario that the simulator can run, judged by every checker."""
    found = [suite.applicable(plans([name])) for name in names()]
    ends = [cell for cells in found for cell in (cells[0], *cells[1:][-1:]) if not any(named("sim").problems(cell))]
    assert len({cell.scenario for cell in ends}) > 50
    ran = suite.run(ends, "sim")
    return [(suite.name(one.result.cell), one.history, judge(asking(one.result.cell), one.history)) for one in ran]


@pytest.mark.xdist_group("shipped-ends")
def test_all_that_is_shipped_leaves_well_formed_histories(shipped: list[tuple[str, History, Judgement]]) -> None:
    assert {of: found for of, history, _ in shipped if (found := list(malformed(history)))} == {}


@every
@pytest.mark.xdist_group("shipped-ends")
def test_nothing_that_is_shipped_makes_it_crash(name: str, shipped: list[tuple[str, History, Judgement]]) -> None:
    for of, _, judgement in shipped:
        (found,) = (one for one in judgement.properties if one.name == name)
        assert found.verdict is not Verdict.UNKNOWN, f"{of}: {found.note}"


@pytest.mark.parametrize("name", [name for name in CHECKERS if name not in OF_ENGINES])
def test_it_convicts_a_broken_variant_and_acquits_the_correct_mechanism(name: str) -> None:
    """Of a row of the kill matrix that names it, if there is one, or else of one in which it convicts too. What
    engines do is not seen in the simulator."""
    possible = [row for row in kill_matrix.stored() if name in row.convicted_by]
    assert possible, f"add the broken variant that {name} convicts to scenarios/mutants; then `make kill-matrix`"
    row = min(possible, key=lambda row: row.named != name)
    cells = plans([f"mutants/{row.scenario}"])[0].cells
    correct, mutant = suite.run([cell for cell in cells if cell.axes["fault"] == row.fault], "sim")
    assert verdict_on(name, correct) in (Verdict.HOLDS, Verdict.NOT_EXERCISED)
    assert verdict_on(name, mutant) is Verdict.VIOLATED


def verdict_on(name: str, ran: Ran) -> Verdict:
    """By what is asked of the correct mechanism."""
    judgement = judge(asking(ran.result.cell, name), ran.history)
    return next(found.verdict for found in judgement.properties if found.name == name)
