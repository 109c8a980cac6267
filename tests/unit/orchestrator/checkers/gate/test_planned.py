"""The invokes are the planned ones: each client process's operations, each once, in order, as its workload has them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from history_builder import CLIENT, Run, cell

from nodes.wire.header import client_number
from nodes.wire.record import Kind, Record
from orchestrator.checkers.evidence import OF_CALLS, problems
from orchestrator.checkers.views import Views
from orchestrator.history.index import Index
from orchestrator.history.merged import History

TWO = client_number(1, 2, 1)


def gate(history: History, **options: Any) -> str:
    return "; ".join(problems(Views(cell(**{"calls": 2, **options}), Index(history)), OF_CALLS))


def altered(run: Run, **fields: Any) -> Run:
    """With other fields in the first invoke's record; those that a record does not have are of its detail."""
    records = run.journals["client", 1]
    place = next(place for place, record in enumerate(records) if record.kind is Kind.INVOKE)
    own = {key: value for key, value in fields.items() if key in Record._fields}
    rest = {key: value for key, value in fields.items() if key not in own}
    records[place] = records[place]._replace(detail={**(records[place].detail or {}), **rest}, **own)
    return run


def test_the_planned_calls_pass() -> None:
    assert gate(Run().call(1).healed(2).history()) == ""


@pytest.mark.parametrize(
    ("run", "options", "said"),
    [
        (Run(), {}, "client 10101 invoked 0 of 2 operations, and nothing is on record that cut them"),
        (Run().call(1), {}, "client 10101 invoked 1 of 2 operations"),
        (Run().call(1).call(2), {"clients": 2}, "client 10201 invoked 0 of 2 operations"),
        (Run().call(1).call(3), {}, "client 10101 invoked operation 3 where operation 2 was due"),
        (Run().call(2).call(1), {}, "client 10101 invoked operation 2 where operation 1 was due"),
        (Run().call(1).call(2).call(2), {}, "client 10101 invoked operation 2 where operation 3 was due"),
        (Run().call(1).call(2).call(3), {}, "client 10101 invoked 3 operations of 2 that the plan has"),
        (Run().call(1).call(2).call(1, TWO), {}, "operation 1 of client 10201 was invoked, and the plan has no such"),
        (altered(Run().call(1).call(2), intent=7), {}, "operation 1 of client 10101 is add(1) by process 1 of client "),
        (altered(Run().call(1).call(2), value=2), {}, "is add(2) by process 1 of client with intent 101000001, and "),
        (altered(Run().call(1).call(2), f="read"), {}, "is read(1) by process 1 of client with intent 101000001, and "),
        (altered(Run().call(1).call(2), process=2), {}, "is add(1) by process 2 of client with intent 101000001, and "),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_others_are_noticed(run: Run, options: dict[str, Any], said: str) -> None:
    assert said in gate(run.history(), **options)


def open_together(count: int) -> Run:
    """So many calls are open at a time, and then one more, each as soon as there is room."""
    run = Run()
    for seq in range(1, count + 1):
        run.invoke(seq).send(seq)
    for seq in range(1, count + 1):
        run.run(seq).decide("request", seq).decide("reply", seq).reply(seq, seq, seq).ok(seq, seq)
        if seq == 1:
            run.invoke(count + 1).send(count + 1)
    return run.info(count + 1)


@pytest.mark.parametrize("outstanding", [1, 2, 3])
def test_no_more_calls_are_open_at_a_time_than_planned(outstanding: int) -> None:
    said = f"client 10101 had more calls open at a time than the plan has, which is {outstanding}"
    for count in (1, 2, 3):
        history = open_together(count).history()
        assert (said in gate(history, calls=count + 1, outstanding=outstanding)) == (count > outstanding), count


def test_a_call_that_never_ends_stays_open() -> None:
    history = Run().invoke(1).send(1).call(2).history()
    assert "had more calls open at a time than the plan has, which is 1" in gate(history, outstanding=1)
    assert "more calls open" not in gate(history, outstanding=2)


def test_the_calls_of_one_process_leave_room_to_another() -> None:
    run = Run().invoke(1).invoke(1, TWO).invoke(2, TWO)
    assert "client 10201 had more calls open at a time" in gate(run.history(), clients=2, outstanding=1)
    assert "client 10101 had more" not in gate(run.history(), clients=2, outstanding=1)


def test_settling_that_was_ended_by_its_cap_cuts_what_is_left() -> None:
    assert gate(Run().call(1).phase("heal").phase("settle").phase("settle-capped").stop().history()) == ""
    assert "invoked 1 of 2" in gate(Run().call(1).phase("heal").phase("load-capped").history())


def test_each_client_process_has_intents_of_its_own() -> None:
    run = Run().call(1).call(2).call(1, TWO).call(2, TWO)
    records = run.journals["client", 1]
    records[:] = [record._replace(process=2) if record.client == TWO else record for record in records]
    assert gate(run.history(), clients=2) == ""


@pytest.mark.parametrize("harm", [Run.ok, Run.info])
def test_no_client_forgets_how_a_call_ended(harm: Callable[..., Run]) -> None:
    run = Run().invoke(1).send(1).run(1).decide("request", 1).decide("reply", 1).reply(1, 1, 1)
    assert "client never journalled how operation 1 of client 10101 ended" in gate(run.call(2).history())
    assert "client never journalled" not in gate(harm(run, 1, 1).history())


def test_of_a_part_of_a_run_no_more_is_asked() -> None:
    run = Run().call(1).phase("interrupted")
    assert gate(run.unfinished()) == "the run did not reach its end; its last phase was interrupted"
    assert run.journals["client", 1][-1].client == CLIENT


def test_what_is_sent_and_ends_was_invoked() -> None:
    assert "client sent operation 1 of client 10101 and never journalled its invoke" in gate(Run().send(1).history())
    twice = Run().ok(1, 1).info(1)
    assert "client journalled OK, INFO for operation 1 of client 10101; expected" in gate(twice.history())
