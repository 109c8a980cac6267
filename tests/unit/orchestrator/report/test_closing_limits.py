"""The closing text names so many problems and no more, and says how many it left out."""

from __future__ import annotations

from pathlib import Path

import pytest
from sample_results import cell, result

from orchestrator.history.merged import History
from orchestrator.report.closing import MAX_PROBLEMS, closing
from orchestrator.report.due import Shortfall
from orchestrator.report.told import Told

AT_THE_LIMIT = pytest.mark.parametrize(("count", "more"), [(MAX_PROBLEMS, []), (MAX_PROBLEMS + 1, ["and 1 more"])])


def no_history(_: Path) -> History:
    raise AssertionError("nothing is to be read")


@AT_THE_LIMIT
def test_what_was_not_as_expected(count: int, more: list[str]) -> None:
    wrong = [result(cell(fault="lost"), error=f"reason {number}") for number in range(count)]
    lines = list(closing(Told(wrong), no_history))
    told = lines[lines.index("Not as expected:") :]
    assert sum("reason" in line for line in told) == MAX_PROBLEMS
    assert [line.strip() for line in told if " more" in line] == more


@AT_THE_LIMIT
@pytest.mark.parametrize("where", ["lost", "absent"])
def test_what_is_lacking_of_a_run_that_was_cut_short(count: int, more: list[str], where: str) -> None:
    lacking = tuple(f"lacking {number}" for number in range(count))
    short = Shortfall("run", 99, (), ())._replace(**{where: lacking})
    lines = list(closing(Told([result(cell(fault="lost"))], short=[short]), no_history))
    told = lines[lines.index("Cut short, so inconclusive:") :]
    assert sum("lacking" in line for line in told) == MAX_PROBLEMS
    assert [line.strip() for line in told if " more" in line] == more
