"""Failpoints: which passage fires which, once."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nodes.failpoints import NAMES, Failpoint, Failpoints

passages = st.lists(
    st.tuples(st.sampled_from(NAMES), st.integers(1, 2), st.integers(0, 3), st.integers(1, 2)), max_size=40
)


def test_an_operation_fires_at_its_own_attempt_only() -> None:
    armed = Failpoint("before-commit", client=10101, seq=5, attempt=2)
    failpoints = Failpoints([armed])
    assert failpoints.passage("before-commit", 10101, 5, 1) is None
    assert failpoints.passage("before-commit", 10102, 5, 2) is None
    assert failpoints.passage("after-commit", 10101, 5, 2) is None
    assert failpoints.passage("before-commit", 10101, 5, 2) is armed


@settings(max_examples=100, deadline=None)
@given(passages, st.sampled_from(NAMES), st.integers(1, 5))
def test_the_nth_passage_counts_that_name_and_operations_alone(
    passed: list[tuple[str, int, int, int]], name: str, nth: int
) -> None:
    failpoints = Failpoints([Failpoint(name, nth=nth)])
    fired = [index for index, passage in enumerate(passed) if failpoints.passage(*passage) is not None]
    counted = [index for index, (there, _, seq, _) in enumerate(passed) if there == name and seq > 0]
    assert fired == counted[nth - 1 : nth]


@settings(max_examples=100, deadline=None)
@given(passages)
def test_each_fires_at_most_once(passed: list[tuple[str, int, int, int]]) -> None:
    armed = [Failpoint("received", client=1, seq=1), Failpoint("received", nth=1), Failpoint("after-send", nth=2)]
    failpoints = Failpoints(armed)
    fired = [f for f in (failpoints.passage(*passage) for passage in passed) if f is not None]
    assert len(fired) == len(set(fired))


def test_hello_is_not_an_operation() -> None:
    failpoints = Failpoints([Failpoint("received", nth=1)])
    assert failpoints.passage("received", 10101, 0, 1) is None
    assert failpoints.passage("received", 10101, 1, 1) is not None


def test_names_says_what_is_armed() -> None:
    assert Failpoints([Failpoint("received", nth=1), Failpoint("received", nth=2)]).names == {"received"}
    assert Failpoints().names == frozenset()


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"name": "somewhere", "nth": 1}, "no failpoint 'somewhere'; there are received, "),
        ({"name": "received", "nth": 1, "act": "sleep"}, "neither die nor stop"),
        ({"name": "received"}, "exactly one of them"),
        ({"name": "received", "client": 1, "seq": 4, "nth": 1}, "exactly one of them"),
        ({"name": "received", "nth": 0}, "count from 1"),
    ],
)
def test_a_failpoint_that_cannot_be_meant_is_refused(fields: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        Failpoints([Failpoint(**fields)])
