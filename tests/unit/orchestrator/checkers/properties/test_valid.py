"""What was executed is what was invoked, and what was told is what the service's model says: else it is not valid.

The stories are a counter's, if nothing else is said: every call adds 1.
"""

from __future__ import annotations

from typing import Any

import pytest
from history_builder import CLIENT, Run, cell

from nodes.wire.header import client_number, intent_number
from nodes.wire.record import Kind
from orchestrator.checkers.finding import Finding
from orchestrator.checkers.properties.valid import check
from orchestrator.checkers.views import Views
from orchestrator.history.index import Index
from orchestrator.history.merged import History, merge

OTHER = client_number(1, 2, 1)
INTENT = intent_number(1, 1, 1)
COUNTER = {"service": "counter", "workload": "add"}
ECHO = {"service": "echo", "workload": "echo"}
REGISTER = {"service": "register", "workload": "write-read"}


def judged(history: History, **served: str) -> Finding:
    return check(Views(cell(**(served or COUNTER)), Index(history)))


def said(run: Run, **served: str) -> str:
    return "; ".join(violation.reason for violation in judged(run.history(), **served).violations)


def test_it_counts_what_it_compared() -> None:
    found = judged(Run().call(1).call(2).invoke(3).send(3).info(3).history())
    assert found == Finding("valid", (), {"operations": 2, "executions": 2, "replies": 0, "rows": 2})


# What is executed is what was invoked


@pytest.mark.parametrize(
    ("done", "reason"),
    [
        ({"f": "read"}, "attempt 1 was executed with f 'read'; invoked was 'add'"),
        ({"value": 2}, "attempt 1 was executed with value 2; invoked was 1"),
        ({"value": None}, "attempt 1 was executed with value None; invoked was 1"),
        ({"intent": 0}, f"attempt 1 was executed with intent 0; invoked was {INTENT}"),
    ],
)
def test_another_call_than_was_invoked_is_convicted(done: dict[str, Any], reason: str) -> None:
    run = Run().invoke(1).send(1).receive(1)
    run.server(Kind.EXECUTE, 1, 1, CLIENT, **{"intent": INTENT, "f": "add", "value": 1, **done})
    run.answer(1, 1).info(1)
    assert said(run) == reason


def test_a_later_attempt_is_compared_too() -> None:
    run = Run().call(1).send(1, 2).receive(1, 2)
    run.server(Kind.EXECUTE, 1, 2, CLIENT, intent=INTENT, f="add", value=2)
    assert said(run) == "attempt 2 was executed with value 2; invoked was 1"


def executed_with(value: int, act: str) -> Run:
    """A relay did something to the request; the counter adds what it was asked for then."""
    run = Run().invoke(1).send(1).decide("request", 1, act=act, rule=0).receive(1)
    run.server(Kind.EXECUTE, 1, 1, CLIENT, intent=INTENT, f="add", value=value)
    run.total = value - 1
    return run.commit(1).answer(1, 1, value).decide("reply", 1).reply(1, 1, value).ok(1, value)


def test_an_argument_that_a_relay_corrupted_is_not_compared() -> None:
    assert said(executed_with(4097, "corrupt")) == ""
    assert said(executed_with(4097, "delay")) == "attempt 1 was executed with value 4097; invoked was 1"


def test_an_effect_of_another_intent_is_convicted() -> None:
    run = Run().call(1)
    n, client, seq, _, *rest = run.rows["server.71"][0]
    run.rows["server.71"][0] = (n, client, seq, 0, *rest)  # type: ignore[assignment]
    assert said(run) == f"its effect is of intent 0; invoked was {INTENT}"


def test_what_nobody_invoked_is_convicted() -> None:
    assert said(Run().run(1)) == "it has 1 effects and nobody invoked it"
    assert said(Run().receive(1).execute(1)) == "it was executed and nobody invoked it"


# What the rows have is what the model has


def served(run: Run, seq: int, total: int) -> Run:
    """A call after which the counter says so."""
    run.invoke(seq).send(seq).receive(seq).execute(seq)
    run.total = total - 1
    return run.commit(seq).answer(seq, 1, total).reply(seq, 1, total).ok(seq, total)


@pytest.mark.parametrize(
    ("totals", "rows"),
    [((1, 2, 3), ()), ((1, 1, 2), (2, 3)), ((7, 7, 7), (1, 2, 3)), ((0, 1, 2), (1, 2, 3))],
    ids=["correct", "an update is lost", "a constant", "the old total"],
)
def test_a_row_has_the_models_result(totals: tuple[int, ...], rows: tuple[int, ...]) -> None:
    run = Run()
    for seq, total in enumerate(totals, 1):
        served(run, seq, total)
    run.totals["server.71"] = 3
    found = {violation.operation: violation.reason for violation in judged(run.history()).violations}
    assert found == {
        (CLIENT, n): f"row {n} of ledger server.71 has the result {totals[n - 1]}; a counter without faults has {n}"
        for n in rows
    }


def test_the_last_state_is_the_models() -> None:
    run = Run().call(1).call(2)
    run.totals["server.71"] = 7
    assert said(run) == "after row 2 of ledger server.71 the counter's value is 7, its rows sum to 2"


def test_a_ledger_without_a_state_is_not_the_models() -> None:
    run = Run().call(1)
    (ledger,) = run.ledgers()
    found = judged(merge(run.phase("end").journals, [ledger._replace(state={})]))
    assert [violation.reason for violation in found.violations] == [
        "after row 1 of ledger server.71 the counter's value is 0, its rows sum to 1"
    ]


def test_rows_that_two_processes_wrote_beside_one_another_are_the_reference_machines() -> None:
    run = Run().call(1).serve().call(2)
    run.epoch, run.total = 1, 1  # the first process goes on, and knows nothing of the second one's update
    assert said(run.call(3)) == ""
    assert judged(run.history()).counts["rows"] == 0


def test_rows_are_replayed_as_far_as_the_journal_says_what_was_asked() -> None:
    run = Run().call(1).invoke(2).send(2).decide("request", 2, act="corrupt").receive(2)
    run.server(Kind.EXECUTE, 2, 1, CLIENT, intent=INTENT + 1, f="add", value=1)
    run.server(Kind.EXECUTE, 2, 1, CLIENT, intent=INTENT + 1, f="add", value=4097)
    run.commit(2).totals["server.71"] = 4098
    assert said(run) == ""
    assert judged(run.history()).counts["rows"] == 1


def test_a_row_of_which_nothing_was_journalled_is_the_gates() -> None:
    run = Run().invoke(1).send(1)
    run.effect(1)
    assert said(run.info(1)) == ""


# What a call without an effect was told is what the model says


def echoed(told: Any, *, act: str = "pass", value: Any = b"ab", answered: Any = None) -> Run:
    run = Run(f="echo").note("client", 1, Kind.INVOKE, CLIENT, 1, intent=INTENT, f="echo", value=b"ab").send(1)
    run.receive(1).server(Kind.EXECUTE, 1, 1, CLIENT, intent=INTENT, f="echo", value=value)
    run.answer(1, 1, told if answered is None else answered)
    return run.decide("reply", 1, act=act).reply(1, 1, told).ok(1, told)


def test_an_echo_has_one_answer() -> None:
    assert said(echoed(b"ab"), **ECHO) == ""
    assert said(echoed(b"ba"), **ECHO) == "its client was told b'ba', which no state of the echo gives until then"
    assert said(echoed(b"ba", act="corrupt", answered=b"ab"), **ECHO) == ""
    otherwise = "it was answered b'ba', which no state of the echo gives"
    assert said(echoed(b"ab", act="corrupt", answered=b"ba"), **ECHO) == otherwise
    assert judged(echoed(b"ab").history(), **ECHO).counts == {"operations": 0, "executions": 1, "replies": 1, "rows": 0}


def test_an_echo_that_was_never_executed_is_convicted() -> None:
    run = Run(f="echo").invoke(1).send(1).reply(1, 1, 1).ok(1, 1)
    assert said(run, **ECHO) == "its client was told ok, and it was never executed"


class Register(Run):
    """Client 1's writes are its odd numbers, as intents have them; `read` is a whole call."""

    def __init__(self) -> None:
        super().__init__(f="write")

    def ledgers(self) -> list[Any]:
        state = {"value": 1, "version": self.total}
        return [each._replace(state=state if each.effects else {}) for each in super().ledgers()]

    def asked(self, seq: int, client: int = CLIENT) -> Register:
        intent = intent_number(client // 10_000, client // 100 % 100, seq)
        self.note("client", 1, Kind.INVOKE, client, seq, intent=intent, f="read", value=None)
        self.receive(seq, client=client)
        self.server(Kind.EXECUTE, seq, 1, client, intent=intent, f="read", value=None)
        return self

    def read(self, seq: int, value: int, client: int = CLIENT) -> Register:
        self.asked(seq, client).answer(seq, 1, value, client=client).ok(seq, value, client)
        return self


def test_a_read_returns_a_value_that_was_there() -> None:
    run = Register().read(2, 0)
    run.call(3)
    assert said(run.read(4, 1), **REGISTER) == ""
    assert judged(run.history(), **REGISTER).counts["replies"] == 2
    assert said(run.read(6, 5), **REGISTER) == "its client was told 5, which no state of the register gives until then"


def test_a_read_returns_no_value_that_was_written_later() -> None:
    run = Register().read(2, 1)
    run.call(3)
    assert "told 1, which no state" in said(run, **REGISTER)


def test_a_read_may_return_what_was_being_written() -> None:
    run = Register()
    run.invoke(1, OTHER).receive(1, client=OTHER).execute(1, client=OTHER)
    run.asked(2).commit(1, client=OTHER).answer(1, 1, 1, client=OTHER).ok(1, 1, OTHER)
    assert said(run.answer(2, 1, 1).ok(2, 1), **REGISTER) == ""


def test_a_value_that_was_overwritten_is_the_other_checkers() -> None:
    run = Register()
    run.call(1)
    assert said(run.read(2, 0), **REGISTER) == ""
