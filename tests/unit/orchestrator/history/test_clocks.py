"""Offsets between clocks: whatever the network did, the truth is within the error that is told."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.history.clocks import PHI, Exchange, best, estimate

OFFSETS = st.integers(-(10**18), 10**18)
DELAYS = st.integers(0, 10**8)
WAYS = st.lists(st.tuples(DELAYS, DELAYS, DELAYS), min_size=1, max_size=6)


def exchange(start: int, offset: int, there: int, held: int, back: int) -> Exchange:
    """A probe that left at `start` by our clock and took these times (ns)."""
    received = start + there + offset
    return Exchange(start, received, received + held, start + there + held + back)


@settings(deadline=None, max_examples=200)
@given(OFFSETS, WAYS, WAYS)
def test_the_true_offset_is_within_the_error(offset: int, before: list[tuple], after: list[tuple]) -> None:
    first = [exchange(n * 10**9, offset, *way) for n, way in enumerate(before)]
    last = [exchange((n + 100) * 10**9, offset, *way) for n, way in enumerate(after)]
    clock = estimate("d", "alpha", first, last)
    assert abs(clock.offset - offset) <= clock.error


@settings(deadline=None, max_examples=200)
@given(OFFSETS, st.integers(-10_000, 10_000), WAYS, st.integers(0, 100))
def test_a_clock_that_drifts_evenly_is_within_the_error_all_the_time(
    offset: int, drift: int, ways: list[tuple], moment: int
) -> None:
    """`drift` nanoseconds a second, and asked for at any second between the probes."""
    first = [exchange(0, offset, *way) for way in ways]
    last = [exchange(100 * 10**9, offset + 100 * drift, *way) for way in ways]
    clock = estimate("d", "alpha", first, last)
    assert abs(clock.offset - (offset + moment * drift)) <= clock.error


def test_the_exchange_with_the_least_delay_counts() -> None:
    slow, quick = exchange(0, 500, 10_000, 5, 90_000), exchange(10**9, 500, 100, 7_000, 300)
    assert best([slow, quick]) == quick
    assert (quick.delay, slow.delay) == (400, 100_000)
    assert estimate("d", "alpha", [slow, quick], [quick])[1:3] == (400, 200)


def test_the_error_is_half_the_delay_and_the_allowed_drift() -> None:
    first, last = exchange(0, 0, 1_000, 0, 1_000), exchange(200 * 10**9, 0, 1_000, 0, 1_000)
    assert estimate("d", "alpha", [first], [last]).error == 1_000 + PHI * 100 * 10**9


@pytest.mark.parametrize(("before", "after"), [(0, 1_000), (1_000, 0)])
def test_probes_that_disagree_widen_the_error(before: int, after: int) -> None:
    first, last = exchange(0, before, 10, 0, 10), exchange(0, after, 10, 0, 10)
    clock = estimate("d", "alpha", [first], [last])
    assert (clock.offset, clock.error) == (500, 510)
