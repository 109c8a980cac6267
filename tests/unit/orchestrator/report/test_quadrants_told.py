"""Lanes: what is not as it should be, the picture, and where each was seen to belong."""

from __future__ import annotations

from typing import Any

import pytest

from nodes.lanes.common.lane import Lane
from nodes.units import MILLISECOND
from orchestrator.report.quadrants import GIVEN, Row, Seen, deviations, grid, ordered, picture, table, unknown

WAITING = Lane(
    "a wait blocks", "a wait returns", "synchronous, blocking", "asynchronous blocking",
    early=False, copied=False, tries=False, works=False,
)  # fmt: skip
GIVING = Lane(
    "a read goes on", "a signal", "asynchronous", "asynchronous non-blocking",
    early=True, copied=True, tries=False, works=True, blocking=True,
)  # fmt: skip


def seen(**changed: Any) -> Seen:
    """A wait of 8 ms for data that came after 6."""
    marks = {"called": 0, "returned": 8, "ready": 6, "notified": 8, "consumed": 8} | changed.pop("marks", {})
    given = {"spans": (("blocked", 0, 8),), "tries": 0, "units": 0, "copied": False, "blocking": False} | changed
    spans = [(kind, begin * MILLISECOND, end * MILLISECOND) for kind, begin, end in given.pop("spans")]
    return Seen.model_validate(
        {
            "marks": {name: at * MILLISECOND for name, at in marks.items()},
            "spans": spans,
            "cpu": 70_000,
            "voluntary": 1,
            "involuntary": 2,
            **given,
        }
    )


def given(**changed: Any) -> Seen:
    return seen(marks={"returned": 0}, spans=(("work", 0, 8),), units=9, copied=True, blocking=True, **changed)


def test_what_is_as_it_should_be() -> None:
    assert list(deviations(Row("poll", WAITING, seen()))) == []
    assert list(deviations(Row("aio", GIVING, given()))) == []
    assert list(deviations(Row("kqueue", WAITING, None, "not here: no kqueue"))) == []


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"marks": {"returned": 5}}, "control returned before there was data: yes; expected no"),
        ({"copied": True}, "the data was in memory when it was told: yes; expected no"),
        ({"tries": 1}, "a call said EAGAIN: yes; expected no"),
        ({"units": 1}, "something useful was done meanwhile: yes; expected no"),
        ({"blocking": True}, "the descriptor blocks: yes; expected no"),
        (
            {"marks": {"notified": 5}},
            "called, ready, notified, consumed came in another order: at 0, 6000000, 5",
        ),
        ({"marks": {"called": 7}}, "called, ready, notified, consumed came in another order: at 7000000, 6000000, "),
    ],
)
def test_what_is_not(changed: dict[str, Any], said: str) -> None:
    [told] = deviations(Row("poll", WAITING, seen(**changed)))
    assert told.startswith(f"poll: {said}")


def test_what_should_have_been_and_was_not() -> None:
    assert [told.partition(": ")[2] for told in deviations(Row("aio", GIVING, seen()))] == [
        "control returned before there was data: no; expected yes",
        "the data was in memory when it was told: no; expected yes",
        "something useful was done meanwhile: no; expected yes",
        "the descriptor blocks: no; expected yes",
    ]


def test_the_picture_has_a_bar_for_each_lane_on_one_scale() -> None:
    twice = seen(marks={"returned": 16, "ready": 12, "notified": 16, "consumed": 16}, spans=(("tries", 0, 16),))
    rows = [Row("a", WAITING, seen()), Row("bcd", WAITING, twice), Row("e", WAITING, None)]
    first, second, legend = picture(rows, 37)
    assert first == "a    " + "-" * 12 + "|" + "-" * 4
    assert second == "bcd  " + "." * 24 + "|" + "." * 8
    assert legend.endswith("; a line is 16 ms")


def test_without_lanes_there_is_no_picture() -> None:
    assert list(picture([Row("a", WAITING, None)], 80)) == []


def test_lanes_stand_where_they_were_seen_to_belong() -> None:
    rows = ordered([Row("aio", GIVING, given()), Row("poll", WAITING, seen()), Row("epoll", WAITING, seen())])
    assert [row.name for row in rows] == ["epoll", "poll", "aio"]
    heads, *lines = grid(rows)
    assert heads[1:] == ["control returns when there is data", "control returns at once"]
    assert [line[1:] for line in lines] == [["-", "-"], ["epoll, poll", "-"], ["-", "aio"]]
    assert lines[-1][0] == GIVEN
    assert grid([Row("poll", WAITING, seen(copied=True))])[-1][1] == "poll", "whatever it should have been"


def test_the_table_counts_from_when_the_data_was_there() -> None:
    _, row = table([Row("poll", WAITING, seen()), Row("e", WAITING, None)])
    assert row == [
        "poll", "synchronous, blocking", "asynchronous blocking", "a wait returns", "no", "no", "8.0", "0", "0", "0.1",
        "1+2", "2000", "2000",
    ]  # fmt: skip


def test_what_is_asked_for_is_known() -> None:
    assert unknown([], ["poll"]) is unknown(["poll"], ["poll"]) is None
    assert unknown(["pol"], ["epoll", "poll"]) == "there is no lane 'pol'; there are epoll, poll"
