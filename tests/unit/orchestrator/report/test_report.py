from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path

from sample_results import CELLS, ORIGIN, cell, judgement, result

from nodes.wire.record import Kind
from orchestrator.checkers.verdict import Cap, Met, Outcome, PropertyVerdict, Verdict
from orchestrator.history.merged import Event, History
from orchestrator.report.claims import claims_of, declared
from orchestrator.report.closing import MAX_PROBLEMS, closing
from orchestrator.report.junit import junit
from orchestrator.report.lines import cell_line, outcome_text
from orchestrator.report.result import CellResult
from orchestrator.report.story import story
from orchestrator.report.summary import summary
from orchestrator.report.table import listing, pivot, render
from orchestrator.report.told import Told, witness_of

SKIPPED = [one for one in CELLS if one.not_applicable]
LOST = cell(fault="lost", semantics="at-most-once")
CRASH = cell(fault="crash", semantics="at-most-once")


def no_history(_: Path) -> History:
    raise AssertionError("nothing is to be read")


def test_outcomes_are_told_with_their_range() -> None:
    assert outcome_text((Outcome("ok", 1),)) == "ok  1"
    assert outcome_text((Outcome("info", 0),)) == "info 0"
    assert outcome_text((Outcome("ok", 3), Outcome("ok", 2), Outcome("fail", 0))) == "ok  2-3, fail 0"
    assert outcome_text(()) == "-"


def test_a_table_of_faults_by_semantics() -> None:
    results = [
        result(LOST),
        result(CRASH, judgement(Outcome("ok", 2))),
        result(cell(fault="crash", semantics="maybe"), judgement(Outcome("info", 1), verdict=Met.INCONCLUSIVE)),
    ]
    assert pivot(results, SKIPPED) == [
        ["", "maybe", "at-most-once"],
        ["lost", "n/a", "ok  1"],
        ["crash", "info 1 ?", "ok  2 !"],
    ]


def test_cells_that_differ_in_transport_are_told_together_with_the_worst_verdict() -> None:
    udp, tcp = (cell(fault="lost", semantics="at-most-once", transport=name) for name in ("udp", "tcp"))
    bad = judgement(Outcome("ok", 2), verdict=Met.UNMET)
    assert pivot([result(udp), result(tcp, bad)])[1] == ["lost", "ok  1-2 UNMET"]


def test_a_violation_is_marked_only_if_it_was_expected_and_seen() -> None:
    assert pivot([result(CRASH, judgement(Outcome("ok", 1), verdict=Met.UNMET))])[1] == ["crash", "ok  1 UNMET"]


def test_a_broken_testbed_is_not_hidden() -> None:
    assert pivot([result(LOST, error="port in use")])[1] == ["lost", "- TESTBED"]
    assert "port in use" in cell_line(result(LOST, error="port\n in use"))


def test_without_the_axis_a_list() -> None:
    plain = LOST.model_copy(update={"axes": {}, "cell": "-"})
    assert pivot([result(plain)]) == []
    assert listing([result(plain), result(plain, error="no")]) == [
        ["cell", "verdict", "bitten operations", "seed"],
        ["sample -", "met", "ok  1", "1"],
        ["sample -", "TESTBED", "-", "1"],
    ]


def test_rendering_aligns_and_underlines() -> None:
    assert render([["", "b"], ["aa", "c"]], "") == ["    b", "--  -", "aa  c"]
    assert render([]) == []


def test_one_line_for_pipes() -> None:
    line = cell_line(result(LOST, judgement(Outcome("ok", 2), verdict=Met.UNMET)))
    assert line == (f"UNMET        sample {LOST.cell} seed=1 0.25s bitten=1 [ok  2]: bitten unmet: it was <otherwise>")
    assert "\x1b" not in line


def test_what_a_scenario_expects_to_be_refuted_is_no_surprise() -> None:
    violated = PropertyVerdict("once", Verdict.VIOLATED, {}, (10101, 2))
    judged = judgement(Outcome("ok", 2))._replace(properties=(violated,))
    assert declared([result(CRASH, judged)]) == {f"sample[{CRASH.cell}]"}
    told = "\n".join(closing(Told([result(CRASH, judged)]), no_history))
    assert "refuted, as expected" in told
    unmet = judgement(Outcome("ok", 2), verdict=Met.UNMET)._replace(properties=(violated,))
    told = "\n".join(closing(Told([result(LOST, unmet)]), no_history))
    assert "REFUTED" in told
    assert "Not as expected:" in told


CAPPED = judgement(Outcome("ok", 1))._replace(
    caps=(Cap("load", tuple((10101, seq) for seq in range(1, 6))), Cap("drain", ()))
)


def test_a_cap_that_was_reached_is_told_wherever_results_are() -> None:
    met = result(LOST, CAPPED)
    assert "capped=load,drain" in cell_line(met)
    named = "operation 1 of client 10101, operation 2 of client 10101, operation 3 of client 10101 and 2 more"
    told = "\n".join(closing(Told([met, result(CRASH)]), no_history))
    text = f"load, with 5 calls open ({named}); drain"
    assert f"Phases that were ended by their caps:\n  sample {LOST.cell}: {text}\n" in told
    assert CRASH.cell not in told[told.index("Phases") :]
    first, second = summary(Told([met, result(CRASH)]), "sim", ORIGIN)["cells"]
    assert [cap["phase"] for cap in first["caps"]] == ["load", "drain"]
    assert first["caps"][0]["open"][0] == (10101, 1)
    assert second["caps"] == []
    properties = [one.attrib for one in ET.fromstring(junit(Told([met, result(CRASH)]))).iter("property")]
    assert {"name": "capped", "value": text} in properties
    assert "ended by their caps" not in "\n".join(closing(Told([result(CRASH)]), no_history))


def test_many_problems_are_cut_short() -> None:
    told = list(closing(Told([result(LOST, error="no")] * (MAX_PROBLEMS + 5)), no_history))
    assert "  and 5 more" in told
    assert told[-1] == "15 cell runs: 15 TESTBED"


def test_the_summary_is_json_of_cells_and_claims() -> None:
    made = summary(Told([result(LOST), result(LOST, error="no")]), "sim", ORIGIN)
    assert [one["exit_code"] for one in made["cells"]] == [0, 3]
    assert made["cells"][1]["problem"] == "no"
    assert [claim["mechanism"] for claim in made["claims"]] == ["at-most-once"]
    assert len(claims_of([result(LOST)])) == 1


def test_the_witness_is_the_violation_nobody_expected(tmp_path: Path) -> None:
    violated = PropertyVerdict("once", Verdict.VIOLATED, {}, (10101, 2))
    expected = result(CRASH, judgement(Outcome("ok", 2))._replace(properties=(violated,)), directory=tmp_path)
    surprise: CellResult = result(
        LOST, judgement(verdict=Met.UNMET)._replace(properties=(violated,)), directory=tmp_path
    )
    assert witness_of([expected, surprise]) == (surprise, (10101, 2), False)
    assert witness_of([expected]) == (expected, (10101, 2), True)
    assert witness_of([result(LOST)]) is None


def event(order: int, who: str, kind: Kind, seq: int = 2, epoch: int = 1, **detail: object) -> Event:
    client = 10101 if seq else 0
    return Event(order, order * 500_000, "d", who, epoch, kind, client, seq, 1 if seq else 0, 0, detail)


def test_a_story_says_who_did_what() -> None:
    events = (
        event(0, "client", Kind.INVOKE, seq=1, f="add", value=1),
        event(1, "client", Kind.INVOKE, f="add", value=1),
        event(2, "client", Kind.SEND),
        event(3, "relay", Kind.DECISION, act="drop", direction="request"),
        event(4, "orchestrator", Kind.REAPED, seq=0, node="server", signal=9),
        event(5, "server", Kind.EXECUTE, epoch=2, f="add", value=1),
        event(6, "client", Kind.OK, value=7),
        event(7, "orchestrator", Kind.ACT, seq=0, act="restart", node="server"),
        event(8, "server", Kind.EFFECT, epoch=2),
        event(9, "server", Kind.EFFECT, epoch=1),
    )
    assert story(History("real", events), (10101, 2)) == [
        "Operation 2 of client process 1:",
        "       0.00 ms  client        calls add(1)",
        "       0.50 ms  client        sends attempt 1",
        "       1.00 ms  relay         DROPS the request of attempt 1",
        "       1.50 ms  orchestrator  finds server dead (signal 9)",
        "       2.00 ms  server/2      EXECUTES add(1)",
        "       2.50 ms  client        knows: ok, value 7",
        "  By the ledgers it was executed twice, in epoch 2 and 1.",
    ]
    assert story(History("real", events), (10101, 9)) == []


def test_a_process_dies_or_stops_at_a_failpoint() -> None:
    for act, told in (("die", "dies"), ("stop", "stops")):
        fired = event(1, "server", Kind.FAILPOINT, name="after-commit", act=act)
        called = event(0, "client", Kind.INVOKE, f="add", value=1)
        assert f"server  {told} at the failpoint after-commit" in "\n".join(
            story(History("real", (called, fired)), (10101, 2))
        )
