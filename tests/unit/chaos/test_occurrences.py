"""Which copy of a message it is: exact for whatever may still come, and forgotten in time."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaos.hop import occurrences
from chaos.hop.occurrences import FORGOTTEN, REMEMBERED, Occurrences


def request(counted: Occurrences, seq: int, first: int | None = None, client: int = 1, attempt: int = 1) -> int:
    return counted.count("request", client, seq, attempt, first)


def test_copies_are_counted_by_direction_client_operation_and_attempt() -> None:
    counted = Occurrences(lambda: None)
    assert [request(counted, 5, 5) for _ in range(3)] == [1, 2, 3]
    assert request(counted, 5, 5, attempt=2) == 1
    assert request(counted, 5, 5, client=2) == 1
    assert counted.count("reply", 1, 5, 1, None) == 1


@given(st.lists(st.tuples(st.integers(1, 3), st.integers(1, 1500)), max_size=60), st.integers(0, REMEMBERED))
def test_a_copy_of_what_a_client_has_not_completed_long_ago_is_counted_exactly(
    jumps: list[tuple[int, int]], behind: int
) -> None:
    counted = Occurrences(lambda: None)
    exact: dict[tuple[int, int], int] = {}
    highest: dict[int, int] = {}
    for client, jump in jumps:
        first = highest[client] = highest.get(client, 0) + jump
        for seq in (first, max(1, first - behind)):
            exact[client, seq] = exact.get((client, seq), 0) + 1
            assert request(counted, seq, first, client) == exact[client, seq]


def test_a_long_run_does_not_grow() -> None:
    counted = Occurrences(lambda: None)
    for seq in range(1, 20_000):
        request(counted, seq, seq)
        counted.count("reply", 1, seq, 1, None)
        assert len(counted) <= 2 * 2 * (REMEMBERED + 1)
    assert request(counted, 5, 19_999) == FORGOTTEN
    assert counted.count("reply", 1, 5, 1, None) == FORGOTTEN


def test_without_a_first_incomplete_the_latest_number_counts() -> None:
    counted = Occurrences(lambda: None)
    for seq in range(1, 20_000):
        request(counted, seq)
        assert len(counted) <= 2 * (REMEMBERED + 1)


def test_what_lies_just_within_the_bound_is_counted_on_and_what_lies_below_is_not() -> None:
    counted = Occurrences(lambda: None)
    for seq in range(2 * REMEMBERED + 1):  # from 0, which is a hello
        assert request(counted, seq, seq) == 1
    assert [request(counted, seq, 2 * REMEMBERED) for seq in (REMEMBERED, REMEMBERED - 1)] == [2, FORGOTTEN]
    request(counted, 2 * REMEMBERED + 1, 2 * REMEMBERED + 1)
    assert request(counted, REMEMBERED) == 3, "as many come before it is done again"


def test_what_is_open_is_never_forgotten() -> None:
    counted = Occurrences(lambda: None)
    for seq in range(1, 20_000):
        request(counted, seq, 1)
    assert request(counted, 1, 1) == 2


def test_a_first_incomplete_above_its_own_number_is_no_reason_to_forget() -> None:
    counted = Occurrences(lambda: None)
    request(counted, 5, 2**32 - 1)
    assert request(counted, 6, 5) == 1


@pytest.mark.parametrize(("last", "attempt", "left"), [(100, 1, 50), (99, 2, 51)])
def test_beyond_a_bound_the_half_that_has_been_known_longest_is_forgotten(
    last: int, attempt: int, left: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of 101 clients, and of 100."""
    monkeypatch.setattr(occurrences, "LARGEST", 100)
    told: list[str] = []
    counted = Occurrences(lambda: told.append("cut off"))
    for client in range(100):
        request(counted, 1, 1, client)
    assert (len(counted), told) == (100, [])
    assert request(counted, 1, 1, last, attempt) == 1
    assert (len(counted), told) == (left, ["cut off"])
    assert request(counted, 1, 1, last, attempt) == 2
