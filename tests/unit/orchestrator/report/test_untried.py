"""What scenarios name as untried is told by scenario, property and model; what was tried all the same by its name."""

from __future__ import annotations

from sample_results import cell, judgement, result

from orchestrator.checkers.verdict import Untried
from orchestrator.report.result import CellResult
from orchestrator.report.untried import needless, untried

LOST = cell(fault="lost", semantics="at-most-once")
OTHER = LOST.model_copy(update={"scenario": "other"})


def naming(*named: Untried, other: bool = False) -> CellResult:
    return result(OTHER if other else LOST, judgement()._replace(untried=named))


ONCE, TOO = Untried("once", "loss", exercised=False), Untried("once", "delay", exercised=True)
COMPLETE = Untried("complete", "loss", exercised=True)


def test_what_was_not_exercised_is_untried_and_what_was_under_every_model_is_needless() -> None:
    results = [naming(ONCE, TOO, COMPLETE), naming(COMPLETE, ONCE), naming(TOO, other=True), result(LOST, error="no")]
    assert untried(results) == ("sample (2 cells): once under loss",)
    assert needless(results) == ("sample (2 cells): complete", "other (1 cell): once")


def test_where_nothing_is_named_nothing_is_told() -> None:
    assert untried([naming()]) == needless([naming()]) == ()
    assert untried([naming(ONCE)]) == ("sample (1 cell): once under loss",)
    assert needless([naming(ONCE)]) == ()
