"""What is known of a history by looking at each event in passing: receipts, rows, first incomplete numbers."""

from __future__ import annotations

from typing import Any

import pytest

from nodes.wire.record import COMPLETIONS, Kind
from orchestrator.history.merged import Event, Life
from orchestrator.history.passing import Firsts, Receipts, Rows, Written, pass_by

CLIENT, OTHER = 10_101, 10_201
SERVER: Life = ("server", 1)
ELSEWHERE = [{"client": OTHER}, {"life": ("server", 2)}, {"life": ("other", 1)}]
"""Another client's number has nothing to do with it, nor what another process received."""


class Told:
    """Events in a row, ten apart."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def add(
        self, kind: Kind, seq: int = 0, client: int = CLIENT, life: Life = SERVER, attempt: int = 0, process: int = 0,
        **detail: Any,
    ) -> Told:  # fmt: skip
        order = 10 * len(self.events)
        self.events.append(Event(order, 7, "d", *life, kind, client, seq, attempt, process, detail))
        return self

    def receive(self, seq: int, client: int = CLIENT, life: Life = SERVER) -> Told:
        return self.add(Kind.RECEIVE, seq, client, life, attempt=1)

    def trim(self, mark: object, client: int = CLIENT, life: Life = SERVER) -> Told:
        return self.add(Kind.TRIM, 0, client, life, mark=mark)

    def receipts(self) -> Receipts:
        found = Receipts()
        pass_by(self.events, found)
        return found

    def ahead(self) -> list[tuple[Event, int]]:
        found = Firsts()
        pass_by(self.events, found)
        return found.ahead


def test_a_receipt_below_a_higher_one_was_overtaken_and_a_repeat_was_not() -> None:
    found = Told().receive(2).receive(2).receive(1).receive(3).receive(2).receipts()
    assert found.overtaken == {20, 40}
    assert (found.forgotten, found.numbered, found.tardy) == (set(), [], set())


@pytest.mark.parametrize("elsewhere", ELSEWHERE)
def test_what_another_client_sent_or_another_process_received_overtakes_nothing(elsewhere: Any) -> None:
    assert Told().receive(2, **elsewhere).receive(1).receipts().overtaken == set()


def test_a_receipt_below_what_was_forgotten_came_too_late() -> None:
    found = Told().receive(3).trim(3).receive(3).receive(2).trim(2).receive(2).trim(4).receive(3).receipts()
    assert found.forgotten == {30, 50, 70}
    assert found.numbered == []


@pytest.mark.parametrize("elsewhere", ELSEWHERE)
def test_what_is_forgotten_is_one_clients_at_one_process(elsewhere: Any) -> None:
    assert Told().trim(5, **elsewhere).receive(1).receipts().forgotten == set()


def test_whoever_says_what_is_forgotten_at_once_is_not_tardy() -> None:
    assert Told().receive(1).trim(1).receive(2).trim(2).receipts().tardy == set()
    assert Told().receive(1).trim(1).trim(1).receipts().tardy == {SERVER}
    assert Told().trim(1).receive(1).receipts().tardy == {SERVER}
    assert Told().receive(0).trim(1).receipts().tardy == {SERVER}
    assert Told().receive(1).receive(0).trim(1).receipts().tardy == set()


@pytest.mark.parametrize("kind", [Kind.EXECUTE, Kind.COMMIT, Kind.ANSWER])
def test_whoever_serves_before_saying_what_is_forgotten_is_tardy(kind: Kind) -> None:
    assert Told().receive(1).add(kind, 1).trim(1).receipts().tardy == {SERVER}
    assert Told().receive(1).add(kind, 0).trim(1).receipts().tardy == set()
    assert Told().receive(1).add(kind, 1, OTHER).trim(1).receipts().tardy == set()
    assert Told().receive(1).add(kind, 1, life=("server", 2)).trim(1).receipts().tardy == set()


@pytest.mark.parametrize("said", [{}, {"mark": 0.5}, {"mark": 1.0}, {"mark": True}])
def test_what_is_forgotten_has_a_number(said: dict[str, Any]) -> None:
    run = Told().receive(1).add(Kind.TRIM, **said)
    assert run.receipts().numbered == run.events[1:]


@pytest.mark.parametrize("number", [{"seq": 1}, {"attempt": 1}, {"process": 1}])
def test_that_something_is_forgotten_has_its_clients_number_alone(number: dict[str, Any]) -> None:
    run = Told().receive(1).add(Kind.TRIM, mark=1, **number)
    assert run.receipts().numbered == run.events[1:]


def test_who_says_what_is_forgotten_is_known_and_of_whom() -> None:
    found = Told().receive(1).trim(1).receive(1, OTHER, ("other", 2)).trim(1, OTHER, ("other", 2)).receipts()
    assert found.forgetful == {SERVER, ("other", 2)}
    assert found.forgot == {(CLIENT, "server"), (OTHER, "other")}


def test_a_first_incomplete_number_above_an_open_operation_is_ahead() -> None:
    run = Told().add(Kind.INVOKE, 1).add(Kind.INVOKE, 2).add(Kind.INVOKE, 1, OTHER)
    run.add(Kind.SEND, 2, first=1).add(Kind.SEND, 2, first=2).add(Kind.SEND, 2)
    assert run.ahead() == [(run.events[4], 1)]


@pytest.mark.parametrize("kind", sorted(COMPLETIONS))
def test_what_is_completed_is_not_open(kind: Kind) -> None:
    run = Told().add(Kind.INVOKE, 1).add(Kind.INVOKE, 2).add(kind, 1).add(Kind.SEND, 2, first=2)
    assert run.ahead() == []
    run.add(Kind.SEND, 2, first=3).add(kind, 2).add(kind, 2).add(Kind.SEND, 3, first=4)
    assert run.ahead() == [(run.events[4], 2)]


def row(number: int, epoch: int = 1, ledger: str = "l", of: int | None = None) -> Event:
    return Told().add(Kind.EFFECT, life=("server", epoch), n=number, epoch=of or epoch, ledger=ledger).events[0]


def rows(*events: Event) -> dict[str, Written]:
    found = Rows()
    pass_by([event._replace(order=place) for place, event in enumerate(events, 5)], found)
    return found.ledgers


def test_the_rows_of_each_ledger_are_known_in_their_order() -> None:
    found = rows(row(2, epoch=2), row(9, ledger="m"), row(1), row(3, epoch=2))
    assert list(found) == ["l", "m"]
    assert (found["l"].numbers, found["l"].epochs, list(found["l"].orders)) == ([2, 1, 3], [2, 1, 2], [5, 7, 8])
    assert (found["l"].places, found["l"].lives) == ([1, 0, 2], [("server", 1), ("server", 2)])
    assert (found["m"].numbers, found["m"].lives) == ([9], [("server", 1)])


def test_who_wrote_first_comes_first_whatever_was_collected_before() -> None:
    assert rows(row(3, epoch=1), row(2, epoch=2), row(1, epoch=1))["l"].lives == [("server", 1), ("server", 2)]
    assert rows(row(1, epoch=2), row(1, epoch=1), row(1, epoch=2))["l"].lives == [("server", 2), ("server", 1)]


def test_one_row_of_another_epoch_than_it_says_misdates_all() -> None:
    assert rows(row(1), row(2, epoch=2))["l"].misdated is False
    assert rows(row(1, of=2), row(2))["l"].misdated is True
