"""Joining effects keeps every byte, end and order; only what goes to one side without a break goes at once."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hop_bench import typed
from hypothesis import given, settings
from hypothesis import strategies as st

from chaos.hop.effects import Effect, End, Finish, Forward, Inject, Pause, Resume, joined

connections = st.integers(1, 2)
directions = st.sampled_from(["request", "reply"])
data = st.binary(min_size=1, max_size=3)
effects = st.one_of(
    st.builds(Forward, connections, directions, data),
    st.builds(Finish, connections, directions),
    st.builds(End, connections),
    st.builds(Inject, data),
    st.builds(Pause, connections, directions),
    st.builds(Resume, connections, directions),
)


def forward(text: bytes, connection: int = 1, direction: Any = "request") -> Forward:
    return Forward(connection, direction, text)


def test_what_goes_to_one_side_without_a_break_goes_at_once() -> None:
    assert joined([forward(b"a"), forward(b"b"), forward(b"c")]) == [forward(b"abc")]
    assert joined([forward(b"a")]) == [forward(b"a")]
    assert joined([]) == []


@pytest.mark.parametrize(
    "between",
    [
        forward(b"-", connection=2),
        forward(b"-", direction="reply"),
        Finish(1, "reply"),
        End(2),
        Inject(b"-"),
        Finish(1, "request"),
        Pause(1, "request"),
        Resume(1, "request"),
    ],
)
def test_whatever_stands_between_keeps_its_place(between: Effect) -> None:
    apart = [forward(b"a"), between, forward(b"b")]
    assert typed(joined(apart)) == typed(apart)
    assert typed(joined([forward(b"a"), forward(b"b"), between])) == typed([forward(b"ab"), between])


def test_only_what_is_forwarded_is_joined() -> None:
    kinds: list[list[Effect]] = [
        [Inject(b"a"), Inject(b"b"), Inject(b"b")],
        [Finish(1, "request"), Finish(1, "reply"), End(1), End(2)],
        [Pause(1, "request"), Resume(1, "request"), Pause(1, "request")],
    ]
    for twice in kinds:
        assert typed(joined(twice)) == typed(twice)


def spread(done: list[Effect]) -> list[Any]:
    """Each forwarded byte by itself."""
    parts: list[Any] = []
    for effect in done:
        parts += [(*effect[:2], byte) for byte in effect.data] if isinstance(effect, Forward) else typed([effect])
    return parts


@settings(max_examples=200, deadline=None)
@given(st.lists(effects, max_size=12))
def test_joining_changes_no_byte_and_no_order(done: list[Effect]) -> None:
    made = joined(done)
    assert spread(made) == spread(done)
    sides = [effect[:2] if isinstance(effect, Forward) else None for effect in made]
    assert all(left is None or left != right for left, right in pairwise(sides))
