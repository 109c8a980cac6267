"""What is said of a system that is not ours: bites by the relay's and the driver's evidence, effects by the oracle."""

from __future__ import annotations

from typing import Any

import pytest
from history_builder import fitted

from chaos.faults.fault import Fault, ToxicFault
from chaos.faults.messages import Delay, Drop
from chaos.faults.processes import Kill, Pause, Restart
from chaos.faults.streams import Latency, Timeout
from nodes.wire.header import client_number, intent_number
from nodes.wire.record import Kind, Record
from orchestrator.checkers.expect import judge
from orchestrator.checkers.verdict import Judgement, Met, Verdict
from orchestrator.history.merged import Ledger, merge
from orchestrator.oracles.effects import Effect, ledger
from orchestrator.scenario.cell import AnyNode, Cell, Delivery, Expect, Outcome
from orchestrator.scenario.system import Driver, Project, ProjectService, RedisOracle, System, SystemLink

CLIENT = client_number(1, 1, 1)
FRONT, BACK = "driver -> orders:8080", "orders -> redis:6379"
STEP = 1_000
MILLISECOND = 1_000_000


def intent(seq: int) -> int:
    return intent_number(1, 1, seq)


def cell(*faults: Fault, expect: Expect | None = None) -> Cell:
    via = "toxiproxy" if any(isinstance(fault, ToxicFault) for fault in faults) else "relay"
    links = (
        SystemLink.model_validate({"from": "driver", "to": "orders:8080", "framer": "http1", "via": via}),
        SystemLink.model_validate({"from": "orders", "to": "redis:6379", "framer": "resp", "via": via}),
    )
    system = System(
        project=Project(compose="c.yml"),
        links=links,
        oracle=RedisOracle(redis="HGETALL booked", at="redis:6379"),
    )
    nodes: dict[str, AnyNode] = {"driver": Driver(exec="./drive.py", after_heal=7)}
    nodes |= {name: ProjectService() for name in system.services}
    return Cell(
        scenario="s",
        about="",
        cell="-",
        axes={},
        seed=1,
        nodes=nodes,
        links=(),
        faults=faults,
        expect=expect or Expect(),
        system=system,
    )


class Run:
    """Says what happened, a record a microsecond."""

    def __init__(self) -> None:
        self.journals: dict[tuple[str, int], list[Record]] = {}
        self.time = 0
        for node, role in (("orchestrator", "orchestrator"), ("relay", "relay"), ("driver", "client")):
            said = {"schema": 1, "node": node, "epoch": 1, "role": role, "domain": "d", "evidence": "real"}
            self.note(node, Kind.START, **said)

    def note(self, node: str, kind: Kind, seq: int = 0, /, **detail: Any) -> Run:
        self.time += STEP
        client = CLIENT if seq else 0
        attempt, process = int(bool(seq) and node == "relay"), int(node == "driver")
        record = Record(self.time, kind, client, seq, attempt, process, detail)
        self.journals.setdefault((node, 1), []).append(record)
        return self

    def wait(self, milliseconds: int) -> Run:
        self.time += milliseconds * MILLISECOND
        return self

    def invoke(self, seq: int) -> Run:
        return self.note("driver", Kind.INVOKE, seq, intent=intent(seq), f="call", value=intent(seq))

    def ok(self, seq: int, attempts: int = 1) -> Run:
        return self.note("driver", Kind.OK, seq, value=1, attempts=attempts)

    def info(self, seq: int) -> Run:
        return self.note("driver", Kind.INFO, seq, error="timed out")

    def fail(self, seq: int) -> Run:
        return self.note("driver", Kind.FAIL, seq, error="refused")

    def message(self, seq: int, direction: str, act: str = "pass", rule: int | None = None) -> Run:
        detail = {"link": FRONT, "direction": direction, "act": act, "rule": rule, "connection": 1, "occurrence": 1}
        return self.note("relay", Kind.DECISION, seq, **detail)

    def piece(self, act: str, rule: int) -> Run:
        detail = {"link": BACK, "direction": "reply", "act": act, "rule": rule, "chunk": 1, "replayable": False}
        return self.note("relay", Kind.DECISION, **detail, connection=1, occurrence=1)

    def release(self, seq: int) -> Run:
        return self.note("relay", Kind.RELEASE, seq, link=FRONT, direction="reply", rule=0, act="delay", occurrence=1)

    def act(self, act: str, node: str, fault: int | None = None) -> Run:
        return self.note("orchestrator", Kind.ACT, act=act, node=node, epoch=1, fault=fault)

    def call(self, seq: int) -> Run:
        """One that nothing happens to."""
        return self.invoke(seq).message(seq, "request").message(seq, "reply").ok(seq)

    def judged(self, of: Cell, *effects: Effect) -> Judgement:
        self.note("orchestrator", Kind.PHASE, phase="heal")
        last = 1 + max((record.seq for record in self.journals["driver", 1]), default=0)
        self.call(last)
        for phase in ("settle", "drain", "stop", "end"):
            self.note("orchestrator", Kind.PHASE, phase=phase)
        found: Ledger = ledger([*effects, Effect(intent(last), 1)])
        history = merge(self.journals, [found])
        return judge(fitted(of, history), history)


def verdicts(judgement: Judgement) -> dict[str, Verdict]:
    return {found.name: found.verdict for found in judgement.properties}


def met(judgement: Judgement) -> dict[str, Met]:
    return {found.name: found.verdict for found in judgement.expectations}


DROP = Drop(drop="reply", link=FRONT, operations=(1,))


def lost() -> Run:
    """The reply to operation 1 is dropped, and the request comes again."""
    run = Run().invoke(1).message(1, "request").message(1, "reply", "drop", 0)
    return run.message(1, "request").message(1, "reply").ok(1, 2)


def test_a_lost_reply_bites_and_a_second_effect_is_the_witness() -> None:
    witness = Outcome(client="ok", executions="2")
    delivery = Delivery(violated="exactly-once", under=("loss",), witness=witness)
    judgement = lost().judged(cell(DROP, expect=Expect(bitten=witness, delivery=delivery)), Effect(intent(1), 2))
    assert (judgement.bitten, judgement.others, judgement.gate) == (1, 1, ())
    assert verdicts(judgement)["once"] is Verdict.VIOLATED
    assert met(judgement) == {"faults": Met.MET, "load": Met.MET, "bitten": Met.MET, "delivery": Met.MET}


def test_with_one_effect_exactly_once_holds_and_was_tried() -> None:
    outcome = Outcome(client="ok", executions="1")
    delivery = Delivery(holds="exactly-once", under=("loss",))
    expect = Expect(bitten=outcome, others=outcome, delivery=delivery)
    judgement = lost().judged(cell(DROP, expect=expect), Effect(intent(1), 1))
    assert set(verdicts(judgement).values()) == {Verdict.HOLDS}
    assert set(met(judgement).values()) == {Met.MET}


def test_without_a_repeat_once_was_not_tried() -> None:
    judgement = Run().call(1).judged(cell(), Effect(intent(1), 1))
    assert verdicts(judgement)["once"] is Verdict.NOT_EXERCISED


@pytest.mark.parametrize(("attempts", "verdict"), [(1, Verdict.NOT_EXERCISED), (2, Verdict.HOLDS)])
def test_where_no_relay_saw_its_requests_the_drivers_word_of_a_repeat_counts(attempts: int, verdict: Verdict) -> None:
    judgement = Run().invoke(1).ok(1, attempts).judged(cell(), Effect(intent(1), 1))
    assert verdicts(judgement)["once"] is verdict


def test_a_repeat_that_the_driver_tells_and_the_relay_did_not_see_does_not_count() -> None:
    run = Run().invoke(1).message(1, "request").message(1, "reply").ok(1, 2)
    assert verdicts(run.judged(cell(), Effect(intent(1), 1)))["once"] is Verdict.NOT_EXERCISED


def test_a_message_that_was_lost_on_its_way_to_nobody_sets_its_operation_apart() -> None:
    run = Run().invoke(1).message(1, "request", "lost").ok(1)
    assert run.judged(cell(), Effect(intent(1), 1)).others == 1


def test_a_drop_after_which_all_goes_on_as_if_nothing_happened_did_not_bite() -> None:
    run = Run().invoke(1).message(1, "request").message(1, "reply", "drop", 0).ok(1)
    judgement = run.judged(cell(DROP), Effect(intent(1), 1))
    assert (judgement.bitten, judgement.caught, judgement.missed) == (0, 1, 1)
    assert met(judgement)["faults"] is Met.INCONCLUSIVE


def test_what_is_done_to_a_message_after_its_call_is_over_did_not_bite() -> None:
    run = Run().call(1).message(1, "request", "drop", 0).message(1, "request")
    assert run.judged(cell(Drop(drop="request", link=FRONT, operations=(1,))), Effect(intent(1), 1)).bitten == 0


@pytest.mark.parametrize(("released", "bitten"), [(True, 1), (False, 0)])
def test_a_delay_bites_where_the_message_went_on_while_the_call_was_open(released: bool, bitten: int) -> None:
    run = Run().invoke(1).message(1, "request").message(1, "reply", "delay", 0)
    run = run.release(1).ok(1) if released else run.ok(1).release(1)
    fault = Delay(delay="reply", by=5, link=FRONT, operations=(1,))
    assert run.judged(cell(fault), Effect(intent(1), 1)).bitten == bitten


def test_a_message_without_identity_bites_whoever_is_open_then() -> None:
    run = Run().invoke(1).piece("drop", 0).ok(1).invoke(2).ok(2)
    judgement = run.judged(cell(Drop(drop="reply", link=BACK)), Effect(intent(1), 1), Effect(intent(2), 1))
    assert (judgement.bitten, judgement.others) == (1, 2)


def test_a_killed_service_bites_what_was_open_until_it_was_ready_again() -> None:
    run = Run().act("kill", "redis", 0).call(1).invoke(2)
    run.note("orchestrator", Kind.REAPED, node="redis", epoch=1, signal=9, code=0)
    run = run.ok(2).invoke(3).act("ready", "redis").ok(3).call(4)
    judgement = run.judged(
        cell(Kill(kill="redis", after=1, restart=Restart())), *(Effect(intent(seq), 1) for seq in (1, 2, 3, 4))
    )
    assert (judgement.bitten, judgement.others) == (2, 3)


def test_a_paused_service_bites_what_was_open_until_its_resume() -> None:
    run = Run().act("pause", "orders", 0).invoke(1).act("resume", "orders").ok(1).call(2)
    judgement = run.judged(cell(Pause(pause="orders", after=1)), Effect(intent(1), 1), Effect(intent(2), 1))
    assert (judgement.bitten, judgement.others) == (1, 2)


@pytest.mark.parametrize(("milliseconds", "bitten"), [(60, 1), (40, 0)])
def test_a_toxic_latency_bites_what_took_half_of_it(milliseconds: int, bitten: int) -> None:
    run = Run().note("relay", Kind.RULE, rule=0, active=True).invoke(1).wait(milliseconds).ok(1)
    judgement = run.judged(cell(Latency(latency=100, link=FRONT)), Effect(intent(1), 1))
    assert (judgement.bitten, judgement.others) == (bitten, 0)  # nobody who was open meanwhile is one of the others


@pytest.mark.parametrize(("attempts", "on", "bitten"), [(2, True, 1), (1, True, 0), (2, False, 0)])
def test_a_toxic_bites_what_was_tried_again(attempts: int, on: bool, bitten: int) -> None:
    run = Run().note("relay", Kind.RULE, rule=0, active=True)
    run = run if on else run.note("relay", Kind.RULE, rule=0, active=False)
    judgement = run.invoke(1).ok(1, attempts).judged(cell(Timeout(timeout=5, link=FRONT)), Effect(intent(1), 1))
    assert judgement.bitten == bitten


def test_what_was_tried_again_without_a_fault_was_late() -> None:
    assert Run().invoke(1).ok(1, 2).call(2).judged(cell(), Effect(intent(1), 1), Effect(intent(2), 1)).late == 1


@pytest.mark.parametrize(
    ("ending", "effects", "reason"),
    [
        ("ok", 0, "no effect"),
        ("fail", 1, "told that it failed"),
    ],
)
def test_answers_that_effects_contradict(ending: str, effects: int, reason: str) -> None:
    run = getattr(Run().invoke(1), ending)(1)
    judgement = run.judged(cell(), Effect(intent(1), effects))
    found = next(one for one in judgement.properties if one.name == "valid")
    assert found.verdict is Verdict.VIOLATED
    assert reason in found.note


def test_an_effect_of_another_value_and_one_that_nobody_asked_for() -> None:
    judgement = Run().call(1).judged(cell(), Effect(intent(1), 1, "other"))
    assert "its effect is other" in next(one.note for one in judgement.properties if one.name == "valid")
    judgement = Run().call(1).judged(cell(), Effect(intent(1), 1), Effect(intent(8), 1))
    assert "nobody invoked it" in next(one.note for one in judgement.properties if one.name == "valid")


def test_the_effect_that_was_asked_for_contradicts_nothing() -> None:
    judgement = Run().call(1).judged(cell(), Effect(intent(1), 1, str(intent(1))))
    assert verdicts(judgement)["valid"] is Verdict.HOLDS


def test_info_is_incomplete_and_late_without_a_fault() -> None:
    judgement = Run().invoke(1).info(1).judged(cell())
    assert verdicts(judgement)["complete"] is Verdict.VIOLATED
    assert judgement.late == 1


def test_the_gate_wants_the_runs_end() -> None:
    run = Run().call(1)
    assert "did not reach its end" in judge(cell(), merge(run.journals)).gate[0]


def test_the_gate_wants_the_oracles_answer() -> None:
    run = Run().call(1).note("orchestrator", Kind.PHASE, phase="end")
    history = merge(run.journals)
    assert judge(fitted(cell(), history), merge(run.journals, [ledger([])])).gate == ()
    assert "the oracle reported nothing" in judge(fitted(cell(), history), history).gate[0]


@pytest.mark.parametrize(
    ("faults", "missed"),
    [
        ({"operations": (2,)}, 1),
        ({"every": 2}, 2),
        ({"every": 3}, 1),
        ({"every": 1}, 4),
        ({"operations": (2, 3), "every": 3}, 1),
        ({"operations": (2,), "clients": (1,)}, 1),
        ({"operations": (2,), "clients": (2,)}, 0),
        ({"probability": 0.5}, 0),
    ],
)
def test_what_a_fault_names_and_did_not_bite_is_missed(faults: dict[str, Any], missed: int) -> None:
    run = Run().call(1).call(2).call(3)
    assert run.judged(cell(Drop(drop="reply", link=FRONT, **faults))).missed == missed


def test_its_properties_may_be_expected_by_name_and_those_of_our_own_nodes_are_never_tried() -> None:
    wanted = Expect.model_validate({"once": "holds", "reference": "holds"})
    judgement = lost().judged(cell(DROP, expect=wanted), Effect(intent(1), 1))
    assert (met(judgement)["once"], met(judgement)["reference"]) == (Met.MET, Met.INCONCLUSIVE)
    assert verdicts(judgement)["reference"] is Verdict.NOT_EXERCISED
