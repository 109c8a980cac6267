"""PURE: results as JUnit XML: a suite per scenario, a case per cell's run, with what it takes to run it again."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import groupby

from junitparser import Error, Failure, JUnitXml, Properties, Property, Skipped, TestCase, TestSuite

from orchestrator.report.lines import reasons
from orchestrator.result import CellResult, Exit
from orchestrator.scenario import Cell

# XML 1.0 has no place for these characters, not even escaped (section 2.2, "Char").
_FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit(results: Sequence[CellResult], skipped: Iterable[Cell] = ()) -> bytes:
    """unmet: failure; a testbed that failed: error; inconclusive and not applicable: skipped, with the reason."""
    document = JUnitXml("faultbed")
    ordered = sorted(results, key=lambda result: result.cell.scenario)
    absent = list(skipped)
    for scenario, group in groupby(ordered, key=lambda result: result.cell.scenario):
        suite = TestSuite(scenario)
        for result in group:
            suite.add_testcase(_case(result))
        for cell in absent:
            if cell.scenario == scenario:
                suite.add_testcase(_skipped(cell))
        document.add_testsuite(suite)
    document.update_statistics()  # type: ignore[no-untyped-call]
    return bytes(document.tostring())  # type: ignore[no-untyped-call]


def _case(result: CellResult) -> TestCase:
    repeat = f" (repeat {result.repeat})" if result.repeat > 1 else ""
    case = TestCase(
        _text(result.cell.cell + repeat), classname=_text(result.cell.scenario), time=round(result.seconds, 3)
    )
    case.append(_properties(result))  # type: ignore[no-untyped-call]
    found = [_text(reason) for reason in reasons(result)]
    first = found[0] if found else ""
    kind = {Exit.UNMET: Failure, Exit.TESTBED: Error, Exit.INCONCLUSIVE: Skipped, Exit.INTERRUPTED: Skipped}
    if result.exit_code in kind:
        outcome = kind[result.exit_code](first or "interrupted")
        outcome.text = "\n".join(found)
        case.result = [outcome]
    return case


def _skipped(cell: Cell) -> TestCase:
    case = TestCase(_text(cell.cell), classname=_text(cell.scenario))
    case.result = [Skipped(_text(f"not applicable: {cell.not_applicable}"))]
    return case


def _properties(result: CellResult) -> Properties:
    properties = Properties()  # type: ignore[no-untyped-call]
    values = {"seed": str(result.seed), "cell": result.cell.cell, **result.cell.axes}
    if result.directory is not None:
        values["directory"] = str(result.directory)
    for name, value in values.items():
        properties.add_property(Property(_text(name), _text(value)))
    return properties


def _text(text: str) -> str:
    return _FORBIDDEN.sub("?", text)
