"""Visitors of a control endpoint: how many, how long, and how much is said of them; and accepting without room."""

from __future__ import annotations

import errno

import pytest

from nodes.accepting import EXHAUSTED, PAUSE, accept
from nodes.ops import Accept, Now, Sleep, Socket
from nodes.visitors import PATIENCE, PERIOD, SAID, Sparing, Visitors, places


def test_the_oldest_gives_its_place_to_one_too_many() -> None:
    visitors: Visitors[str] = Visitors(2)
    assert [visitors.enter(name, 0) for name in "abc"] == [None, None, "a"]
    assert list(visitors) == ["b", "c"]


def test_who_has_proved_itself_has_no_place_to_lose() -> None:
    visitors: Visitors[str] = Visitors(2)
    visitors.enter("a", 0)
    visitors.leave("a")
    visitors.leave("a")
    assert [visitors.enter(name, 0) for name in "bcd"] == [None, None, "b"]
    assert "a" not in visitors


def test_a_visitor_is_overdue_after_its_patience() -> None:
    visitors: Visitors[str] = Visitors(9)
    assert visitors.next_time() is None
    visitors.enter("a", 10)
    visitors.enter("b", 11)
    assert visitors.next_time() == 10 + PATIENCE
    assert visitors.overdue(9 + PATIENCE) == []
    assert visitors.overdue(10 + PATIENCE) == ["a"]


@pytest.mark.parametrize(("descriptors", "expected"), [(None, 16), (1024, 16), (32, 8), (3, 1)])
def test_visitors_have_a_share_of_the_descriptors(descriptors: int | None, expected: int) -> None:
    assert places(16, descriptors) == expected


def test_what_is_not_said_is_counted_and_told_later() -> None:
    sparing = Sparing()
    assert [sparing.lines(str(number), 5) for number in range(SAID)] == [[str(number)] for number in range(SAID)]
    assert sparing.lines("x", 5) == sparing.lines("y", 4 + PERIOD) == []
    assert sparing.lines("z", 5 + PERIOD) == ["2 more lines like the last ones were not written", "z"]
    assert sparing.lines("z", 6 + PERIOD) == ["z"]


@pytest.mark.parametrize("number", sorted(EXHAUSTED))
def test_without_room_a_listener_pauses_and_tries_again(number: int) -> None:
    listener = Socket()
    program = accept(listener)
    assert isinstance(next(program), Accept)
    assert isinstance(program.throw(OSError(number, "no room")), Now)
    sleep = program.send(7)
    assert isinstance(sleep, Sleep)
    assert sleep.until == 7 + PAUSE
    assert isinstance(program.send(None), Accept)
    with pytest.raises(StopIteration) as got:
        program.send("a connection")
    assert got.value.value == "a connection"


def test_a_listener_that_accepts_on_tries_again_at_once() -> None:
    program = accept(Socket(), accepts_on=True)
    assert isinstance(next(program), Accept)
    assert isinstance(program.throw(OSError(errno.EMFILE, "no room")), Accept)


def test_a_closed_listener_is_told() -> None:
    program = accept(Socket())
    next(program)
    with pytest.raises(ConnectionAbortedError):
        program.throw(ConnectionAbortedError(errno.ECONNABORTED, "closed"))
