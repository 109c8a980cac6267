"""An observation against what is expected, and what all of them come to."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.probes.compared import Cell, Outcome, Verdict, exit_code, judged, not_applicable, text, unknown
from orchestrator.probes.expectations import Expected
from orchestrator.report.result import Exit

STEPS = {"came": "IN", "half read": "nothing"}
SEEN: dict[str, Any] = {"came": ["IN"], "half read": []}


def verdict(seen: dict[str, Any] | None, expected: Expected | None) -> Cell:
    return judged("undrained", "epoll", Outcome(seen, "" if seen else "it hung", ("a", "b")), expected)


def test_the_same_is_as_expected() -> None:
    cell = verdict(SEEN, Expected(STEPS, "epoll(7)"))
    assert (cell.verdict, list(cell.differences), cell.source) == (Verdict.AS_EXPECTED, [], "epoll(7)")
    assert (cell.why, Cell("p", "e", Verdict.AS_EXPECTED).why, Cell("p", "e", Verdict.AS_EXPECTED).source) == (
        "",
        "",
        "",
    )


@pytest.mark.parametrize(
    ("seen", "differences"),
    [
        ({"came": ["IN", "HUP"], "half read": []}, [("came", "IN HUP", "IN")]),
        ({"came": ["IN"]}, [("half read", "-", "nothing")]),
        ({**SEEN, "more": 3}, [("more", "3", "-")]),
    ],
)
def test_what_differs_deviates(seen: dict[str, Any], differences: list[tuple[str, str, str]]) -> None:
    cell = verdict(seen, Expected(STEPS, "epoll(7)"))
    assert (cell.verdict, list(cell.differences), cell.trace) == (Verdict.DEVIATES, differences, ("a", "b"))


def test_without_an_observation_it_is_unknown_and_says_why() -> None:
    cell = verdict(None, Expected(STEPS, "epoll(7)"))
    assert (cell.verdict, cell.why, cell.trace) == (Verdict.UNKNOWN, "it hung", ("a", "b"))
    assert list(cell.differences) == []


def test_without_an_expectation_it_is_unknown_and_shows_what_was_seen() -> None:
    for expected in (None, Expected(None, "no such host")):
        cell = verdict(SEEN, expected)
        assert (cell.verdict, cell.observed) == (Verdict.UNKNOWN, STEPS)
        assert cell.why


@pytest.mark.parametrize(
    ("seen", "said"), [([], "nothing"), (["IN", "HUP"], "IN HUP"), (True, "yes"), (False, "no"), (3, "3"), ("x", "x")]
)
def test_values_in_words(seen: Any, said: str) -> None:
    assert text(seen) == said


CELLS = {
    Exit.MET: Cell("p", "e", Verdict.AS_EXPECTED),
    Exit.UNMET: Cell("p", "e", Verdict.DEVIATES),
    Exit.INCONCLUSIVE: unknown("p", "e", "why"),
}


@given(st.lists(st.sampled_from(list(CELLS)), max_size=6))
def test_a_deviation_outranks_what_is_unknown(codes: list[Exit]) -> None:
    cells = [*(CELLS[code] for code in codes), not_applicable("p", "f", "why")]
    worst = next((code for code in (Exit.UNMET, Exit.INCONCLUSIVE) if code in codes), Exit.MET)
    assert exit_code(cells) is worst
