"""What is due: acts at a trigger, once and however late somebody comes to wait, and acts at a time."""

from __future__ import annotations

from nodes.ops import Program
from orchestrator.run.agenda import Act, Agenda


class Diary:
    """An agenda, and what it did."""

    def __init__(self) -> None:
        self.agenda = Agenda()
        self.done: list[str] = []

    def act(self, name: str) -> Act:
        def act() -> Program:
            self.done.append(name)
            yield name

        return act

    def when(self, trigger: str, *, begins_fault: bool = False) -> None:
        list(self.agenda.when(trigger, self.act(trigger), begins_fault=begins_fault))

    def occur(self, event: str, number: int | None = None) -> list[str]:
        """-> what is done at it."""
        self.done.clear()
        list(self.agenda.occur(event, number))
        return self.done

    def due(self, now: int) -> list[str]:
        self.done.clear()
        while (act := self.agenda.due(now)) is not None:
            list(act())
        return self.done


def test_an_act_waits_for_its_trigger_and_is_done_once() -> None:
    diary = Diary()
    diary.when("split on")
    assert diary.done == []
    assert diary.occur("split off") == []
    assert diary.occur("split on") == ["split on"]
    assert diary.occur("split on") == []


def test_a_numbered_event_is_what_both_forms_wait_for() -> None:
    diary = Diary()
    for trigger in ("server ready", "server ready 2", "server ready 3"):
        diary.when(trigger)
    assert diary.occur("server ready", 2) == ["server ready", "server ready 2"]
    assert diary.occur("server ready", 3) == ["server ready 3"]


def test_an_event_without_a_number_is_no_numbered_one() -> None:
    diary = Diary()
    diary.when("split on 1")
    assert diary.occur("split on") == []


def test_who_comes_late_acts_at_once() -> None:
    diary = Diary()
    diary.occur("client gate", 2)
    for trigger in ("client gate", "client gate 2", "client gate 3"):
        diary.when(trigger)
    assert diary.done == ["client gate", "client gate 2"]


def test_blanks_in_a_trigger_do_not_matter() -> None:
    diary = Diary()
    diary.when("client   gate  2")
    assert diary.occur("client gate", 2) == ["client   gate  2"]


def test_what_one_act_makes_wait_is_not_done_by_the_same_event_twice() -> None:
    diary = Diary()
    agenda = diary.agenda

    def again() -> Program:
        diary.done.append("first")
        yield from agenda.when("healed", diary.act("second"))

    list(agenda.when("healed", again))
    assert diary.occur("healed") == ["first", "second"]
    assert diary.occur("healed") == []


def test_an_act_is_scheduled_until_its_time_or_heal() -> None:
    diary = Diary()
    diary.when("healed")
    assert diary.agenda.scheduled is False
    diary.agenda.at(5, diary.act("five"))
    assert diary.agenda.scheduled is True
    assert diary.due(5) == ["five"]
    assert diary.agenda.scheduled is False
    diary.agenda.at(6, diary.act("six"))
    diary.agenda.heal()
    assert diary.agenda.scheduled is False


def test_times_come_in_order_and_equal_ones_as_they_were_arranged() -> None:
    diary = Diary()
    for time, name in ((20, "c"), (10, "a"), (10, "b"), (30, "d")):
        diary.agenda.at(time, diary.act(name))
    assert diary.due(9) == []
    assert diary.due(20) == ["a", "b", "c"]
    assert diary.due(30) == ["d"]


def test_the_next_time_is_the_earliest_or_what_the_asker_says() -> None:
    diary = Diary()
    assert diary.agenda.next_time(50) == 50
    diary.agenda.at(20, diary.act("later"))
    assert (diary.agenda.next_time(50), diary.agenda.next_time(10)) == (20, 10)


def test_after_heal_no_fault_begins_and_nothing_ends_by_time_but_other_triggers_still_count() -> None:
    diary = Diary()
    diary.when("client ok 1", begins_fault=True)
    diary.when("client ok 1")
    diary.agenda.at(10, diary.act("timed"))
    diary.agenda.heal()
    assert diary.occur("client ok", 1) == ["client ok 1"]
    assert diary.due(100) == []
