"""Whatever a history holds, judging it ends: what a checker crashes over is the evidence gate's, and is told."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import pytest
import suite
from harms import altered, being, saying, without

from nodes.wire.record import Kind
from orchestrator.checkers import expect
from orchestrator.checkers.expect import judge
from orchestrator.checkers.gate.fields import LACKING, malformed
from orchestrator.checkers.guarded import Guard
from orchestrator.checkers.verdict import Judgement
from orchestrator.history.merged import Event, History
from orchestrator.report.result import CellResult, Exit
from orchestrator.scenario.cell import Cell
from orchestrator.scenario.shipped import plans


@cache
def ran() -> tuple[Cell, History]:
    (one,) = suite.run([suite.applicable(plans(["rpc/09-crash-after-commit"]))[-1]], "sim")
    return one.result.cell, one.history


def judged(kind: Kind, alter: Any) -> Judgement:
    cell, history = ran()
    judgement = judge(cell, altered(history, kind, alter))
    assert CellResult(cell, 1, 0.0, judgement).exit_code is Exit.TESTBED
    return judgement


@pytest.mark.parametrize(
    ("kind", "alter", "record"),
    [
        (Kind.TRIM, without("mark"), "server journalled TRIM of client 10101, and its mark is missing"),
        (
            Kind.EFFECT,
            without("ledger"),
            "EFFECT of operation 1 of client 10101, attempt 1, and its ledger is missing",
        ),
        (Kind.EFFECT, saying(n="x"), "of operation 1 of client 10101, attempt 1, and its n is 'x'"),
        (Kind.REAPED, saying(epoch=[]), "orchestrator journalled REAPED, and its epoch is []"),
        (
            Kind.INVOKE,
            saying(f=[]),
            "INVOKE of operation 1 of client 10101, attempt 0, and its f is []",
        ),
        (Kind.PHASE, without("phase"), "orchestrator journalled PHASE, and its phase is missing"),
    ],
)
def test_what_a_checker_crashes_over_is_no_evidence(kind: Kind, alter: Any, record: str) -> None:
    gate = judged(kind, alter).gate
    crashes = [problem for problem in gate if problem.startswith("a checker crashed: ")]
    assert crashes
    assert all(re.search(r"Error: .* \([^/ ]+, [a-z_/]+\.py:[0-9]+\)$", crash) for crash in crashes)
    assert gate[-1].startswith("event ")
    assert record in gate[-1]


def test_a_crash_is_told_where_every_record_is_of_its_kind() -> None:
    """An argument may be anything; this one is none that the service has."""
    *_, crash = judged(Kind.EXECUTE, saying(value="x")).gate
    assert crash.startswith("a checker crashed: TypeError: ")


@pytest.mark.parametrize("number", [-1, 2**62, 2**70])
def test_numbers_may_be_any(number: int) -> None:
    """Those of a history's own events fit into 64 bits; what their details have may not."""
    judged(Kind.EFFECT, saying(n=number))
    judged(Kind.INVOKE, being(seq=number))
    judged(Kind.UPSTREAM, saying(epoch=number))


def test_what_is_put_in_order_first_may_crash_too(monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(*_: object) -> None:
        raise KeyError("act")

    cell, history = ran()
    monkeypatch.setattr(expect, "Index", crash)
    judgement = judge(cell, history)
    assert (judgement.properties, judgement.expectations) == ((), ())
    assert [problem.partition(" (")[0] for problem in judgement.gate] == ["a checker crashed: KeyError: 'act'"]


def test_no_room_is_no_crash() -> None:
    def check() -> None:
        raise MemoryError

    with pytest.raises(MemoryError):
        Guard()(check, None)


def test_a_record_of_an_older_version_is_of_its_kind() -> None:
    _, history = ran()
    assert list(malformed(history)) == []

    def older(event: Event) -> Event:
        lacking = {key for kind, key in LACKING if kind is event.kind}
        return event._replace(detail={key: each for key, each in event.detail.items() if key not in lacking})

    assert list(malformed(history._replace(events=tuple(map(older, history.events))))) == []
