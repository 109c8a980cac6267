"""PURE: what a suite of cells claims: each mechanism's level under each failure model, and on what evidence.

A claim is never made from one cell. It needs every opportunity that its level and model list, each from some
cell, and no cell that refutes it (docs/semantics.md, "Opportunities").
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import NamedTuple

from chaos.faults.models import Model
from orchestrator.checkers.delivery import LEVELS, NEEDED
from orchestrator.checkers.verdict import Judgement, Verdict
from orchestrator.scenario.cell import Cell, Level, Link

NOMINAL: dict[str, Level] = {
    "maybe": "maybe",
    "at-least-once": "at-least-once",
    "at-most-once": "at-most-once",
    "at-most-once-incarnation": "at-most-once",
    "exactly-once": "exactly-once",
}
"""What each mechanism is built to be."""

Result = tuple[Cell, Judgement]


class Standing(StrEnum):
    CLAIMED = "claimed"
    REFUTED = "refuted"
    NOT_EXERCISED = "not-exercised"


class Claim(NamedTuple):
    """`opportunities` counts over all cells what the level needs under the model; `bitten` the operations.

    `refuted` names the cells that refute it, `missing` the opportunities that no cell offered. `bound` is the 95 %
    bound 3/n on the probability of a violation, where faults were random and n opportunities brought none.
    """

    mechanism: str
    level: Level
    model: Model
    standing: Standing
    bitten: int
    opportunities: dict[str, int]
    missing: tuple[str, ...]
    refuted: tuple[str, ...]
    bound: float | None


def claims(results: Iterable[Result]) -> tuple[Claim, ...]:
    """One claim for each mechanism, level and model that the cells speak of, in the order of the cells.

    A system that is not ours is no mechanism: what is said of it is its cell's verdict.
    """
    groups: dict[tuple[str, Level, Model], list[Result]] = {}
    ours = [(cell, judgement) for cell, judgement in results if cell.system is None]
    sound = [(cell, judgement) for cell, judgement in ours if not judgement.gate and cell.expect.delivery]
    for cell, judgement in sound:
        for level, model in _spoken_of(cell):
            groups.setdefault((mechanism(cell), level, model), []).append((cell, judgement))
    return tuple(_claim(*key, group) for key, group in groups.items())


def not_exercised(claimed: Iterable[Claim]) -> tuple[str, ...]:
    """What no cell of the suite offered, though a claim needs it: one line each."""
    return tuple(
        f"{claim.mechanism}: {claim.level} under {claim.model}: {opportunity}"
        for claim in claimed
        for opportunity in claim.missing
    )


def mechanism(cell: Cell) -> str:
    """The semantics, with what makes a mechanism of its own of them: a broken variant, a finite retry budget."""
    link = cell.links[0]
    variant = f" ({link.variant})" if link.variant else ""
    budget = _budget(cell, link)
    return f"{link.semantics}{variant}" + (f", {budget} attempts" if budget else "")


def _budget(cell: Cell, link: Link) -> int | None:
    client = cell.clients.get(link.source)
    if client is None or link.semantics == "maybe":
        return None
    return client.retry.attempts


def _spoken_of(cell: Cell) -> list[tuple[Level, Model]]:
    """The mechanism's own level, and a weaker one that the cell expects, under each of its models."""
    delivery = cell.expect.delivery
    assert delivery is not None
    levels = [NOMINAL[cell.links[0].semantics]]
    if delivery.holds is not None and delivery.holds not in levels:
        levels.append(delivery.holds)
    return [(level, model) for level in levels for model in delivery.under]


def _claim(name: str, level: Level, model: Model, group: list[Result]) -> Claim:
    counts = {
        opportunity: sum(judgement.opportunities.get(opportunity, 0) for _, judgement in group)
        for part in LEVELS[level]
        for opportunity in NEEDED.get((part, model), ())
    }
    bitten = sum(judgement.bitten for _, judgement in group)
    refuted = tuple(f"{cell.scenario}[{cell.cell}]" for cell, judgement in group if _refutes(judgement, level))
    missing = tuple(opportunity for opportunity, count in counts.items() if not count)
    standing = Standing.CLAIMED if bitten and not missing else Standing.NOT_EXERCISED
    if refuted:
        standing = Standing.REFUTED
    return Claim(name, level, model, standing, bitten, counts, missing, refuted, _bound(group, counts, refuted))


def _refutes(judgement: Judgement, level: Level) -> bool:
    return any(found.name in LEVELS[level] and found.verdict is Verdict.VIOLATED for found in judgement.properties)


def _bound(group: list[Result], counts: dict[str, int], refuted: tuple[str, ...]) -> float | None:
    """The rule of three (Hanley and Lippman-Hand 1983), over the opportunities of cells with random faults."""
    tried = sum(
        judgement.opportunities.get(opportunity, 0)
        for cell, judgement in group
        if any(getattr(fault, "probability", None) is not None for fault in cell.faults)
        for opportunity in counts
    )
    return 3 / tried if tried and not refuted else None
