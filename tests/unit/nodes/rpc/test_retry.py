"""When a client sends again."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from nodes.rpc.retry import Retry, maybe
from nodes.units import MILLISECOND

POLICY = Retry(attempts=None, first=60, maximum=240, jitter=0.2, same_connection=False)


def test_waits_double_up_to_the_maximum() -> None:
    assert [POLICY.wait(attempt, 0.5) // MILLISECOND for attempt in (1, 2, 3, 4, 50)] == [60, 120, 240, 240, 240]


@given(attempt=st.integers(1, 1000), draw=st.floats(0, 1, exclude_max=True))
def test_jitter_stays_within_its_share(attempt: int, draw: float) -> None:
    middle = POLICY.wait(attempt, 0.5)
    assert 0.8 * middle - 1 <= POLICY.wait(attempt, draw) <= 1.2 * middle + 1


def test_budget() -> None:
    assert not POLICY.spent(10**6)
    limited = POLICY._replace(attempts=3)
    assert [limited.spent(attempt) for attempt in (1, 2, 3)] == [False, False, True]


def test_maybe_has_one_attempt_without_jitter() -> None:
    policy = maybe(150)
    assert policy.spent(1)
    assert policy.wait(1, 0.0) == policy.wait(1, 0.99) == 150 * MILLISECOND
