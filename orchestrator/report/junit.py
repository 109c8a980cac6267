"""PURE: results as JUnit XML: a suite per scenario, a case per cell's run, with what it takes to run it again.

Rules of this file:

1. CI goes by failures and errors: the document of every exit code other than 0 has at least one, and that of 0 none.
2. Skipped is what is not to be run: a cell that its scenario declares not applicable, or that its backend leaves out.
   An inconclusive cell was to say something and did not.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from junitparser import Error, Failure, JUnitXml, Properties, Property, Skipped, TestCase, TestSuite

from orchestrator.report.replayed import came
from orchestrator.report.result import Ending, Exit
from orchestrator.report.told import Absent, Run, Told

OWN = "faultbed"
"""The document, and in it the suite and the case of what is no cell's affair."""

# XML 1.0 has no place for these characters, not even escaped (section 2.2, "Char").
_FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit(told: Told, ending: Ending | None = None) -> bytes:
    """unmet: failure; inconclusive, testbed failed, interrupted: error of that type; not run: skipped."""
    document = JUnitXml(OWN)
    for scenario in sorted({*told.scenarios, *(one.cell.scenario for one in told.absent)}):
        suite = TestSuite(_text(scenario))
        suite.add_testcases([_case(run) for run in told.runs if run.result.cell.scenario == scenario])
        suite.add_testcases([_skipped(one) for one in told.absent if one.cell.scenario == scenario])
        document.add_testsuite(suite)
    if ending is not None:
        document.add_testsuite(_own(ending))
    document.update_statistics()  # type: ignore[no-untyped-call]
    return bytes(document.tostring())  # type: ignore[no-untyped-call]


def _case(run: Run) -> TestCase:
    result = run.result
    repeat = f" (repeat {result.repeat})" if result.repeat > 1 else ""
    case = TestCase(
        _text(result.cell.cell + repeat), classname=_text(result.cell.scenario), time=round(result.seconds, 3)
    )
    case.append(_properties(run))  # type: ignore[no-untyped-call]
    if result.exit_code is not Exit.MET:
        case.result = [_outcome(result.exit_code, run.reasons)]
    return case


def _own(ending: Ending) -> TestSuite:
    case = TestCase(OWN, classname=OWN)
    case.result = [_outcome(ending.code, [ending.message])]
    suite = TestSuite(OWN)
    suite.add_testcase(case)
    return suite


def _outcome(code: Exit, reasons: Sequence[str]) -> Failure | Error:
    kind = code.name.lower()
    told = [_text(reason) for reason in reasons] or [kind]
    outcome: Failure | Error = (Failure if code is Exit.UNMET else Error)(told[0], type_=kind)
    outcome.text = "\n".join(told)
    return outcome


def _skipped(absent: Absent) -> TestCase:
    case = TestCase(_text(absent.cell.cell), classname=_text(absent.cell.scenario))
    case.result = [Skipped(_text(absent.why))]
    return case


def _properties(run: Run) -> Properties:
    result = run.result
    properties = Properties()  # type: ignore[no-untyped-call]
    values = {"seed": str(result.seed), "cell": result.cell.cell, **result.cell.axes}
    if run.capped:
        values["capped"] = run.capped
    if result.judgement is not None and result.judgement.replayed is not None:
        values["replayed"] = came(result.judgement.replayed)
    if result.judgement is not None and result.judgement.unchecked:
        values["unchecked"] = "; ".join(result.judgement.unchecked)
    if result.directory is not None:
        values["directory"] = str(result.directory)
    for name, value in values.items():
        properties.add_property(Property(_text(name), _text(value)))
    return properties


def _text(text: str) -> str:
    return _FORBIDDEN.sub("?", text)
