"""PURE: one cell's run in one line, and why it is not as expected."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.checkers.caps import open_text
from orchestrator.checkers.verdict import Judgement, Met, Outcome
from orchestrator.report.result import CellResult, Exit

WORDS = {
    Exit.MET: "met",
    Exit.UNMET: "UNMET",
    Exit.INCONCLUSIVE: "inconclusive",
    Exit.TESTBED: "TESTBED",
    Exit.INTERRUPTED: "interrupted",
}


def outcome_text(outcomes: tuple[Outcome, ...]) -> str:
    """What clients learnt and how often it ran: "ok  1", "info 0", "ok  2-3", "fail 0, info 0"; "-" without any."""
    by_client: dict[str, list[int]] = {}
    for outcome in outcomes:
        by_client.setdefault(outcome.client, []).append(outcome.executions)
    return ", ".join(f"{client:<3} {_range(counts)}" for client, counts in by_client.items()) or "-"


def _range(counts: list[int]) -> str:
    low, high = min(counts), max(counts)
    return str(low) if low == high else f"{low}-{high}"


def violates(result: CellResult) -> bool:
    """Whether this cell shows a violation that its scenario expects."""
    expect = result.cell.expect
    expected = "violated" in expect.properties.values()
    expected |= expect.delivery is not None and expect.delivery.violated is not None
    return result.exit_code is Exit.MET and expected


def run_name(result: CellResult) -> str:
    """Scenario, cell, and which repeat."""
    repeat = f" repeat={result.repeat}" if result.repeat > 1 else ""
    return f"{result.cell.scenario} {result.cell.cell}{repeat}"


def cell_line(result: CellResult) -> str:
    """One line for pipes: verdict, scenario, cell, repeat, seed, time, what was seen, and the first reason."""
    start = f"{WORDS[result.exit_code]:<12} {run_name(result)} seed={result.seed}"
    time = f"{result.seconds:.2f}s " if result.seconds else ""
    line = f"{start} {time}{seen(result)}".rstrip()
    first = next(reasons(result), None)
    return f"{line}: {first}" if first else line


def seen(result: CellResult) -> str:
    judgement = result.judgement
    if judgement is None:
        return ""
    return f"bitten={judgement.bitten} [{outcome_text(judgement.outcomes)}] {_counts(judgement)}".rstrip()


def _counts(judgement: Judgement) -> str:
    counts = {"missed": judgement.missed, "caught": judgement.caught, "late": judgement.late}
    told = [f"{name}={count}" for name, count in counts.items() if count]
    if (found := judgement.replayed) is not None:
        told.append(f"replayed={found.applied}/{found.applied + len(found.absent)} unknown={found.unknown}")
        told += [f"otherwise={len(found.differing)}"] if found.differing else []
    if judgement.caps:
        told.append(f"capped={','.join(cap.phase for cap in judgement.caps)}")
    return " ".join(told)


def caps_text(result: CellResult) -> str:
    """Which phases were ended by their caps: "load, with 1 call open (operation 3 of client 10101); drain"; or ""."""
    caps = result.judgement.caps if result.judgement else ()
    return "; ".join(f"{cap.phase}, with {open_text(cap.open)}" if cap.open else cap.phase for cap in caps)


def reasons(result: CellResult) -> Iterator[str]:
    """Why the verdict is not `met`, the weightiest first."""
    if result.problem:
        yield " ".join(result.problem.split())
    if result.judgement is None or result.judgement.gate:
        return
    for verdict in (Met.UNMET, Met.INCONCLUSIVE):
        for expectation in result.judgement.expectations:
            if expectation.verdict is verdict:
                yield f"{expectation.name} {verdict}: {expectation.reason}"
