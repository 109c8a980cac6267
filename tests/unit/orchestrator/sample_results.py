"""Results as a run would give them, without running anything."""

from __future__ import annotations

from pathlib import Path

from orchestrator.checkers.verdict import ExpectationVerdict, Judgement, Met, Outcome, PropertyVerdict, Verdict
from orchestrator.report.origin import Origin
from orchestrator.report.result import CellResult
from orchestrator.scenario.cell import Cell
from orchestrator.scenario.plan import expand

TEXT = """\
scenario: sample
matrix:
  fault: [lost, crash]
  semantics: [maybe, at-most-once]
  transport: [udp, tcp]
not_applicable: [{fault: lost, semantics: maybe, reason: for the sample}]
nodes: {server: {service: counter}, client: {workload: add}}
links: [{from: client, to: server, semantics: "${semantics}", transport: "${transport}"}]
faults: [{drop: request, link: client -> server, operations: [2]}]
expect:
  bitten: {client: ok, executions: 1}
  delivery:
    by: fault
    crash: {violated: at-most-once, under: [server-crash]}
    else: {holds: "${semantics}", under: [loss]}
"""

ORIGIN = Origin("0.1", "0" * 16, ("faultbed", "run"), None, "CPython", "Linux", "a CPU", 2, None, "2026-11-24", 1.5)

CELLS = expand(TEXT, "sample.yaml").cells


def cell(**axes: str) -> Cell:
    """The first of the sample's cells with these axis values."""
    return next(one for one in CELLS if axes.items() <= one.axes.items())


def judgement(*outcomes: Outcome, verdict: Met = Met.MET, gate: tuple[str, ...] = ()) -> Judgement:
    return Judgement(
        properties=(PropertyVerdict("once", Verdict.HOLDS, counts={"repeat-after-commit": 1}),),
        expectations=(ExpectationVerdict("bitten", verdict, "" if verdict is Met.MET else "it was <otherwise>"),),
        opportunities={"repeat-after-commit": 1},
        bitten=len(outcomes),
        missed=0,
        caught=0,
        late=0,
        others=4,
        outcomes=outcomes,
        gate=gate,
        models={"loss": {"bitten": len(outcomes), "repeat-after-commit": 1}},
    )


def result(of: Cell, judged: Judgement | None = None, *, directory: Path | None = None, **more: object) -> CellResult:
    judged = judged if judged is not None or more else judgement(Outcome("ok", 1))
    return CellResult(cell=of, repeat=1, seconds=0.25, judgement=judged, directory=directory, **more)  # type: ignore[arg-type]
