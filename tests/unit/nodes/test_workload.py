"""The client's harness: its gates, its completions, and what it tells, over a driver that answers as it is told to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sim_programs import MILLISECOND, pause, world
from witnessing import Witnessing

from nodes import ops
from nodes.drivers import DriverFailed, Operation
from nodes.reports import Reports
from nodes.rpc.calls import End, Outcome
from nodes.wire.header import client_number, intent_number
from nodes.wire.record import Kind
from nodes.workload import HEAL, Harness

ORDINAL, EPOCH = 3, 2
Answer = Callable[[Operation], Outcome]


def fine(_: Operation) -> Outcome:
    return Outcome(End.OK, 7)


class Scripted:
    """A driver whose calls take a millisecond."""

    def __init__(self, answer: Answer, said: list[str]) -> None:
        self._answer = answer
        self._said = said

    def open(self) -> ops.Program:
        self._said.append("open")
        yield from pause(0)

    def begin(self, operation: Operation) -> None:
        self._said.append(f"begin {operation.seq}")

    def invoke(self, operation: Operation) -> ops.Program:
        yield from pause(1)
        return self._answer(operation)

    def finish(self) -> ops.Program:
        self._said.append("finish")
        yield from pause(0)

    def close(self) -> ops.Program:
        self._said.append("close")
        yield from pause(0)


class Bench(Witnessing):
    """One client node. `at` has what is done to it, by virtual milliseconds: a gate is released, or "finish"."""

    def __init__(self, answer: Answer = fine, at: dict[float, Any] | None = None, **spec: Any) -> None:
        super().__init__()
        self.said: list[str] = []
        outbox = ops.Queue()
        made = {
            "ordinal": ORDINAL,
            "workload": "add",
            "clients": 1,
            "workers": 1,
            "calls": 3,
            "members": 1,
            "after_heal": 0,
            "outstanding": 1,
        }
        wanted = [("ok", 2), ("end", 1), ("ok", 9), ("invoke", 3)]
        self.harness = Harness(
            {**made, "gates": [], **spec}, EPOCH, self, Reports(outbox, wanted), lambda _: Scripted(answer, self.said)
        )
        with world() as simulated:
            host = simulated.host("client")
            host.spawn(self.harness.main())
            host.spawn(self._do(at or {}))
            simulated.run(pause(100), simulated.host("main"))
        self.told = [(item["event"], item["number"], item["client"]) for item in outbox.items]

    def _do(self, at: dict[float, Any]) -> ops.Program:
        for moment, what in sorted(at.items()):
            yield ops.Sleep(int(moment * MILLISECOND))
            yield from self.harness.finish() if what == "finish" else self.harness.gates.release(what)

    def passage(self, name: str, client: int, seq: int, attempt: int) -> None:
        raise AssertionError(name)

    def noted(self, *kinds: Kind) -> list[tuple[str, int]]:
        """(kind, number) of what a process noted of its own client."""
        for noted in self.notes:
            assert (noted.client, noted.attempt) == (client_number(ORDINAL, noted.process, EPOCH), 0)
        return [(noted.kind.name, noted.seq) for noted in self.of(*kinds)]


def client(process: int = 1) -> int:
    return client_number(ORDINAL, process, EPOCH)


def test_calls_come_one_after_another_and_each_has_its_completion() -> None:
    bench = Bench()
    assert [(noted.kind, noted.seq) for noted in bench.notes] == [
        each for seq in (1, 2, 3) for each in ((Kind.INVOKE, seq), (Kind.OK, seq))
    ]
    assert bench.notes[0].detail == {"intent": intent_number(ORDINAL, 1, 1), "f": "add", "value": 1}
    assert bench.notes[1].detail == {"value": 7}
    assert bench.said == ["open", "begin 1", "begin 2", "begin 3", "close"]
    assert (bench.harness.open, bench.harness.completed, bench.harness.done) == (0, 3, True)
    assert bench.told == [("end", 1, client()), ("ok", 2, client()), ("invoke", 3, client()), ("done", 0, 0)]


@pytest.mark.parametrize(("end", "kind"), [(End.FAIL, Kind.FAIL), (End.INFO, Kind.INFO)])
def test_what_did_not_succeed_says_why_and_is_no_ok(end: End, kind: Kind) -> None:
    bench = Bench(lambda operation: Outcome(end, "no reply", 4))
    assert [(noted.kind, noted.detail) for noted in bench.notes if noted.seq == 2][1] == (
        kind,
        {"error": "no reply", "attempts": 4},
    )
    assert bench.told == [("end", 1, client()), ("invoke", 3, client()), ("done", 0, 0)]


def test_what_is_told_is_told_of_the_process_that_it_is_about() -> None:
    told = Bench(clients=3).told
    for event, number in (("end", 1), ("ok", 2), ("invoke", 3)):
        assert sorted(one for one in told if one[0] == event) == [(event, number, client(n)) for n in (1, 2, 3)]


def test_an_error_that_the_driver_does_not_know_is_unknown() -> None:
    def crash(_: Operation) -> Outcome:
        raise ValueError("odd")

    assert {noted.detail.get("error") for noted in Bench(crash).of(Kind.INFO)} == {"ValueError: odd"}


def test_a_driver_that_failed_is_no_outcome() -> None:
    def fail(_: Operation) -> Outcome:
        raise DriverFailed("hangs")

    bench = Bench(fail)
    assert bench.noted(Kind.INVOKE, Kind.OK, Kind.INFO, Kind.FAIL) == [("INVOKE", 1)]
    assert not bench.harness.done


def test_outstanding_calls_are_begun_in_order_and_no_more_than_may_be() -> None:
    bench = Bench(calls=4, outstanding=2)
    assert bench.noted(Kind.INVOKE, Kind.OK)[:2] == [("INVOKE", 1), ("INVOKE", 2)]
    open_now, most = 0, 0
    for name, _ in bench.noted(Kind.INVOKE, Kind.OK):
        open_now += 1 if name == "INVOKE" else -1
        most = max(most, open_now)
    assert (most, open_now, bench.said[-1]) == (2, 0, "close")


def test_the_deliveries_of_a_message_begin_together_and_carry_the_same() -> None:
    bench = Bench(workload="echo", members=3, calls=9, outstanding=6)
    noted = bench.noted(Kind.INVOKE, Kind.OK)
    assert noted[:6] == [("INVOKE", seq) for seq in range(1, 7)]
    assert {("OK", 1), ("OK", 2), ("OK", 3)} <= set(noted[6 : noted.index(("INVOKE", 7))])
    invoked = [each.detail for each in bench.of(Kind.INVOKE)]
    assert [detail["intent"] for detail in invoked] == [intent_number(ORDINAL, 1, seq) for seq in range(1, 10)]
    values = [detail["value"] for detail in invoked]
    assert values == [value for value in dict.fromkeys(values) for _ in range(3)]
    assert bench.harness.done


def test_a_gate_is_told_once_all_processes_are_there_and_holds_them() -> None:
    bench = Bench(clients=2, gates=[2])
    assert bench.noted(Kind.INVOKE) == [("INVOKE", 1), ("INVOKE", 1)]
    gates = [(noted.process, noted.seq, noted.detail) for noted in bench.of(Kind.GATE)]
    assert sorted(gates, key=str) == [(process, 2, {"gate": 2}) for process in (1, 2)]
    assert [each for each in bench.told if each[0] == "gate"] == [("gate", 2, 0)]
    assert not bench.harness.done


@pytest.mark.parametrize("moment", [0, 50])
def test_a_gate_may_be_released_before_or_after_anybody_comes(moment: int) -> None:
    bench = Bench(at={moment: 2}, gates=[2])
    assert bench.noted(Kind.INVOKE)[-1] == ("INVOKE", 3)
    assert bench.harness.done


def test_the_last_calls_wait_for_heal_which_is_told_once_when_no_call_is_open() -> None:
    waiting = Bench(clients=2, after_heal=1)
    assert {noted.seq for noted in waiting.of(Kind.INVOKE)} == {1, 2}
    assert [each for each in waiting.told if each[0] == "heal-gate"] == [("heal-gate", 0, 0)]
    healed = Bench(clients=2, after_heal=1, at={50: HEAL})
    assert {noted.seq for noted in healed.of(Kind.INVOKE)} == {1, 2, 3}
    assert [each for each in healed.told if each[0] == "heal-gate"] == [("heal-gate", 0, 0)]


def test_heals_gate_is_not_told_while_a_call_is_open() -> None:
    bench = Bench(calls=2, after_heal=1, outstanding=2)
    order = [noted.kind for noted in bench.notes]
    assert order == [Kind.INVOKE, Kind.GATE, Kind.OK]
    assert bench.told[-1] == ("heal-gate", 0, 0)


def test_finishing_opens_every_gate_and_begins_nothing_more() -> None:
    bench = Bench(clients=2, gates=[2], at={50: "finish"})
    assert bench.noted(Kind.INVOKE) == [("INVOKE", 1), ("INVOKE", 1)]
    assert bench.said.count("finish") == bench.said.count("close") == 2
    assert bench.harness.done


def test_finishing_begins_no_call_that_waits_for_another_to_end() -> None:
    bench = Bench(outstanding=2, at={0.5: "finish"})
    assert bench.noted(Kind.INVOKE, Kind.OK) == [("INVOKE", 1), ("INVOKE", 2), ("OK", 1), ("OK", 2)]
    assert bench.said == ["open", "begin 1", "begin 2", "finish", "close"]
    assert bench.harness.done
