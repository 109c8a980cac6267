"""Many courses are kept in columns, and found again as they were."""

from __future__ import annotations

from typing import Any

import pytest

from nodes.wire.record import Kind
from orchestrator.history.courses import SPARSE, Courses
from orchestrator.history.merged import Event
from orchestrator.history.straight import Course, Lost, Place

PLACE = Place("client", 1, "server", 1, "client -> server", "relay", 71)
CLIENT, OTHER = 10101, 10201


def straight(number: int) -> Course:
    first = 10 * number
    orders = (first, first + 2, first + 4, first + 9)
    return Course(PLACE, *orders, number, 100 + number, ("add", 1), number, f"result {number}", first + 1_000)


def lost(number: int) -> Course:
    return straight(number)._replace(again=10 * number + 7, lost=Lost(0, True), place=PLACE._replace(node="other"))


@pytest.fixture
def courses() -> Courses:
    found = Courses()
    for operation, course in KNOWN.items():
        assert found.add(operation, course)
    return found


KNOWN = {(CLIENT, 1): straight(1), (OTHER, 2): lost(2), (CLIENT, 3): straight(3), (CLIENT, 2): lost(4)}


def test_each_is_as_it_was_and_they_come_in_their_order(courses: Courses) -> None:
    assert list(courses) == list(KNOWN)
    assert list(courses.items()) == list(KNOWN.items())
    assert list(courses.values()) == list(KNOWN.values())
    assert {operation: courses[operation] for operation in KNOWN} == KNOWN
    assert (len(courses), len(courses.items())) == (4, 4)
    assert [courses.repeated(operation) for operation in KNOWN] == [False, True, False, True]


@pytest.mark.parametrize("strange", [(OTHER, 1), (CLIENT, 4), (CLIENT, 0), (CLIENT, -1), (7, 1)])
def test_who_is_not_there_is_not_found(courses: Courses, strange: tuple[int, int]) -> None:
    assert strange not in courses
    assert courses.get(strange) is None
    assert not courses.repeated(strange)
    with pytest.raises(KeyError):
        courses[strange]


def test_what_is_no_operation_is_not_there(courses: Courses) -> None:
    assert 5 not in courses


ORDER = 5_000
ASKED_LATER = straight(5)._replace(row=0)


def row(**other: Any) -> Event:
    """That of the effect of ASKED_LATER, but for `other`."""
    said = {"epoch": 1, "n": 5, "result": "result 5", "intent": 105, "ledger": "server"}
    known = {name: other.pop(name, value) for name, value in {"node": "server", "epoch": 1, "attempt": 1}.items()}
    process = other.pop("process", 0)
    detail = {**said, **other}
    return Event(ORDER, 7, "", known["node"], known["epoch"], Kind.EFFECT, CLIENT, 5, known["attempt"], process, detail)


@pytest.fixture
def waiting(courses: Courses) -> Courses:
    assert courses.add((CLIENT, 5), ASKED_LATER)
    return courses


def test_its_row_is_written_once(waiting: Courses) -> None:
    assert waiting.unwritten() == [(CLIENT, 5)]
    assert waiting.write((CLIENT, 5), row())
    assert waiting[CLIENT, 5] == ASKED_LATER._replace(row=ORDER)
    assert waiting.unwritten() == []
    assert not waiting.write((CLIENT, 5), row())


@pytest.mark.parametrize(
    "other",
    [
        {"node": "other"},
        {"epoch": 2},
        {"attempt": 2},
        {"process": 1},
        {"n": 6},
        {"result": "result 6"},
        {"intent": 106},
        {"ledger": None},
    ],
)
def test_another_row_is_not_its_own(waiting: Courses, other: dict[str, Any]) -> None:
    assert not waiting.write((CLIENT, 5), row(**other))
    assert waiting.unwritten() == [(CLIENT, 5)]


def test_a_row_of_another_epoch_than_it_says_is_not_its_own(waiting: Courses) -> None:
    strange = row()
    strange.detail["epoch"] = 2
    assert not waiting.write((CLIENT, 5), strange)


def test_what_is_not_there_or_has_no_effect_has_no_row(waiting: Courses) -> None:
    assert waiting.add((OTHER, 5), ASKED_LATER._replace(asked=("read", None)))
    assert not waiting.write((OTHER, 5), row())
    assert not waiting.write((OTHER, 6), row())


def test_one_can_be_taken_away(courses: Courses) -> None:
    assert courses.take((CLIENT, 3)) == straight(3)
    assert courses.take((CLIENT, 3)) is None
    assert (CLIENT, 3) not in courses
    assert list(courses) == [operation for operation in KNOWN if operation != (CLIENT, 3)] == [*dict(courses.items())]
    assert len(courses) == 3


def test_some_can_be_hidden(courses: Courses) -> None:
    hidden = {(CLIENT, 1), (OTHER, 2)}
    rest = courses.without(hidden)
    assert list(rest) == [operation for operation in KNOWN if operation not in hidden] == [*dict(rest.items())]
    assert (len(rest), len(courses)) == (2, 4)
    assert not any(operation in rest or rest.repeated(operation) for operation in hidden)
    with pytest.raises(KeyError):
        rest[CLIENT, 1]


@pytest.mark.parametrize("number", [2**63, -(2**63) - 1, "one", None, 1.0, True])
def test_for_numbers_that_are_none_there_is_no_room(courses: Courses, number: object) -> None:
    for field in ("first", "intent", "number"):
        assert not courses.add((CLIENT, 5), straight(5)._replace(**{field: number}))
    assert list(courses) == list(KNOWN)
    assert courses.add((CLIENT, 5), straight(5)._replace(first=2**63 - 1, intent=-(2**63)))


def test_nor_for_who_is_far_from_all_others(courses: Courses) -> None:
    assert not courses.add((CLIENT, 2 * SPARSE), straight(5))
    assert not courses.add((CLIENT, -1), straight(5))
    assert courses.add((CLIENT, SPARSE), straight(5))
    assert courses.add((CLIENT, 3 * SPARSE), straight(6))
    assert (courses[CLIENT, SPARSE], courses[CLIENT, 3 * SPARSE]) == (straight(5), straight(6))


# What is asked of all at once


def test_what_was_asked_is_known_of_a_row(courses: Courses) -> None:
    row = straight(1).row
    assert courses.asked((CLIENT, 1), row) == ("add", 1)
    assert courses.asked((CLIENT, 1), row + 1) is None
    assert courses.asked((CLIENT, 4), 0) is None
    assert courses.without({(CLIENT, 1)}).asked((CLIENT, 1), row) is None


def test_when_each_was_invoked(courses: Courses) -> None:
    assert list(courses.invokes()) == [(course.invoked, operation) for operation, course in KNOWN.items()]
    assert list(courses.without({(CLIENT, 1), (OTHER, 2), (CLIENT, 2)}).invokes()) == [(30, (CLIENT, 3))]
    courses.take((CLIENT, 3))
    assert (30, (CLIENT, 3)) not in list(courses.invokes())


def test_which_copies_a_process_received(courses: Courses) -> None:
    assert courses.add((OTHER, 3), straight(5)._replace(place=PLACE._replace(epoch=2)))
    first = [(14, (CLIENT, 1)), (24, (OTHER, 2)), (27, (OTHER, 2)), (34, (CLIENT, 3)), (44, (CLIENT, 2))]
    assert list(courses.receipts("server", 1)) == [*first, (47, (CLIENT, 2))]
    assert list(courses.receipts("server", 2)) == [(54, (OTHER, 3))]
    assert list(courses.receipts("client", 1)) == []
    assert list(courses.without(set(KNOWN) - {(CLIENT, 3)}).receipts("server", 1)) == [(34, (CLIENT, 3))]


def test_which_have_no_row_and_should(courses: Courses) -> None:
    assert courses.unwritten() == []
    for seq, f in ((5, "add"), (6, "read"), (7, "add")):
        courses.add((CLIENT, seq), straight(seq)._replace(row=0, asked=(f, None)))
    courses.take((CLIENT, 7))
    assert courses.unwritten() == [(CLIENT, 5)]


def test_one_of_each_kind_and_how_many_there_are(courses: Courses) -> None:
    courses.add((CLIENT, 5), straight(5)._replace(asked=("read", None), row=0))
    kinds = [((CLIENT, 1), None, True, 2), ((OTHER, 2), Lost(0, True), True, 2), ((CLIENT, 5), None, False, 1)]
    assert list(courses.examples()) == kinds
    hidden = courses.without({(CLIENT, 1), (OTHER, 2), (CLIENT, 2)})
    assert list(hidden.examples()) == [((CLIENT, 3), None, True, 1), kinds[2]]
