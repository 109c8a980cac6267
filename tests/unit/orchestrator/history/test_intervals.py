"""Which intervals meet another one is what looking at all of them finds."""

from __future__ import annotations

from typing import NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from orchestrator.history.intervals import Intervals

PLACES = st.integers(0, 12)


class Span(NamedTuple):
    begin: int
    end: int


@given(st.lists(st.builds(Span, PLACES, PLACES)), PLACES, PLACES)
def test_those_that_overlap_it_are_found_the_latest_first(spans: list[Span], begin: int, end: int) -> None:
    found = Intervals(spans)
    wanted = [span for span in spans if span.begin < end and span.end > begin]
    met = list(found.meeting(begin, end))
    assert sorted(met) == sorted(wanted)
    assert [span.begin for span in met] == sorted((span.begin for span in wanted), reverse=True)
    assert found.meet(begin, end) == bool(wanted)


def test_none_meet_where_there_are_none() -> None:
    assert not Intervals[Span]().meet(0, 9)


def test_what_it_does_not_find_it_does_not_look_at() -> None:
    asked = []

    class Told(Span):
        @property
        def end(self) -> int:  # type: ignore[override]
            asked.append(self.begin)
            return self[1]

    found = Intervals([Told(begin, begin + 1) for begin in range(0, 200, 2)])
    asked.clear()
    assert [span.begin for span in found.meeting(100, 101)] == [100]
    assert asked == [100]
