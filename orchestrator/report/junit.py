"""PURE: results as JUnit XML: a suite per scenario, a case per cell's run, with what it takes to run it again.

Rules of this file:

1. CI goes by failures and errors: the document of every exit code other than 0 has at least one, and that of 0 none.
2. Skipped is what is not to be run: a cell that its scenario declares not applicable, or that its backend leaves out.
   An inconclusive cell was to say something and did not.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from junitparser import Error, Failure, JUnitXml, Properties, Property, Skipped, TestCase, TestSuite

from orchestrator.report.lines import caps_text, reasons
from orchestrator.report.result import CellResult, Exit, Refusal
from orchestrator.scenario.cell import Cell

OWN = "faultbed"
"""The document, and in it the suite and the case of what is no cell's affair."""

# XML 1.0 has no place for these characters, not even escaped (section 2.2, "Char").
_FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class Ending(NamedTuple):
    """What ended the command, or kept it from beginning, other than what its cells came to. Never with Exit.MET."""

    code: Exit
    message: str


def junit(
    results: Sequence[CellResult],
    skipped: Iterable[Cell] = (),
    ending: Ending | None = None,
    left_out: Iterable[Refusal] = (),
) -> bytes:
    """unmet: failure; inconclusive, testbed failed, interrupted: error of that type; not run: skipped."""
    document = JUnitXml(OWN)
    absent = [(cell, f"not applicable: {cell.not_applicable}") for cell in skipped]
    absent += [(one.cell, f"left out: {one.place}: {one.reason}") for one in left_out]
    for scenario in sorted({result.cell.scenario for result in results} | {cell.scenario for cell, _ in absent}):
        suite = TestSuite(_text(scenario))
        suite.add_testcases(
            [*map(_case, _of(results, scenario)), *(_skipped(*one) for one in absent if one[0].scenario == scenario)]
        )
        document.add_testsuite(suite)
    if ending is not None:
        document.add_testsuite(_own(ending))
    document.update_statistics()  # type: ignore[no-untyped-call]
    return bytes(document.tostring())  # type: ignore[no-untyped-call]


def _of(results: Iterable[CellResult], scenario: str) -> Iterator[CellResult]:
    return (result for result in results if result.cell.scenario == scenario)


def _case(result: CellResult) -> TestCase:
    repeat = f" (repeat {result.repeat})" if result.repeat > 1 else ""
    case = TestCase(
        _text(result.cell.cell + repeat), classname=_text(result.cell.scenario), time=round(result.seconds, 3)
    )
    case.append(_properties(result))  # type: ignore[no-untyped-call]
    if result.exit_code is not Exit.MET:
        case.result = [_outcome(result.exit_code, list(reasons(result)))]
    return case


def _own(ending: Ending) -> TestSuite:
    case = TestCase(OWN, classname=OWN)
    case.result = [_outcome(ending.code, [ending.message])]
    suite = TestSuite(OWN)
    suite.add_testcase(case)
    return suite


def _outcome(code: Exit, reasons: list[str]) -> Failure | Error:
    kind = code.name.lower()
    told = [_text(reason) for reason in reasons] or [kind]
    outcome: Failure | Error = (Failure if code is Exit.UNMET else Error)(told[0], type_=kind)
    outcome.text = "\n".join(told)
    return outcome


def _skipped(cell: Cell, why: str) -> TestCase:
    case = TestCase(_text(cell.cell), classname=_text(cell.scenario))
    case.result = [Skipped(_text(why))]
    return case


def _properties(result: CellResult) -> Properties:
    properties = Properties()  # type: ignore[no-untyped-call]
    values = {"seed": str(result.seed), "cell": result.cell.cell, **result.cell.axes}
    if capped := caps_text(result):
        values["capped"] = capped
    if result.directory is not None:
        values["directory"] = str(result.directory)
    for name, value in values.items():
        properties.add_property(Property(_text(name), _text(value)))
    return properties


def _text(text: str) -> str:
    return _FORBIDDEN.sub("?", text)
