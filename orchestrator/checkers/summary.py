"""PURE: what a suite of cells claims: each mechanism's level under each failure model, and on what evidence.

A claim is never made from one cell. It needs every opportunity that its level and model list, each from some
cell, and no cell that refutes it (docs/semantics.md, "Opportunities").
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import NamedTuple

from chaos.faults.models import Model
from orchestrator.checkers.delivery import EITHER, NEEDED
from orchestrator.checkers.verdict import Judgement, Verdict
from orchestrator.scenario.cell import LEVELS, AnyLink, Cell, Level

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
    """`opportunities` counts over all cells what the level needs under the model; `bitten` the operations that faults
    of this model bit.

    `refuted` names the cells that refute it, `missing` the opportunities that no cell offered; of these `undeclared`
    are those of a property that not every cell names as untried. `bound` is the 95 % bound 3/n on the probability of a
    violation, where faults were random and n opportunities brought none.
    """

    mechanism: str
    level: Level
    model: Model
    standing: Standing
    bitten: int
    opportunities: dict[str, int]
    missing: tuple[str, ...]
    undeclared: tuple[str, ...]
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
    """What no cell of the suite offered, though a claim needs it and some cell does not say so: one line each."""
    return tuple(
        f"{claim.mechanism}: {claim.level} under {claim.model}: {opportunity}"
        for claim in claimed
        for opportunity in claim.undeclared
    )


def mechanism(cell: Cell) -> str:
    """The semantics, with what makes a mechanism of its own of them: a broken variant, a finite retry budget."""
    link = cell.links[0]
    variant = f" ({link.variant})" if link.variant else ""
    budget = _budget(cell, link)
    return f"{link.semantics}{variant}" + (f", {budget} attempts" if budget else "")


def _budget(cell: Cell, link: AnyLink) -> int | None:
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
    needed = {part: NEEDED.get((part, model), ()) for part in LEVELS[level]}
    counts = {opportunity: _seen(group, model, opportunity) for names in needed.values() for opportunity in names}
    bitten = _seen(group, model, "bitten")
    lacking = {part: _missing(names, counts, either=(part, model) in EITHER) for part, names in needed.items()}
    refuted = tuple(f"{cell.scenario}[{cell.cell}]" for cell, judgement in group if _refutes(judgement, level))
    missing = tuple(dict.fromkeys(one for names in lacking.values() for one in names))
    open_parts = (names for part, names in lacking.items() if not _declared(group, part))
    undeclared = tuple(dict.fromkeys(one for names in open_parts for one in names))
    standing = Standing.CLAIMED if bitten and not missing else Standing.NOT_EXERCISED
    if refuted:
        standing = Standing.REFUTED
    bound = None if refuted else _bound(group, model, counts)
    return Claim(name, level, model, standing, bitten, counts, missing, undeclared, refuted, bound)


def _seen(group: list[Result], model: Model, what: str) -> int:
    """Over all cells, of the operations that the model's faults bit."""
    return sum(judgement.models.get(model, {}).get(what, 0) for _, judgement in group)


def _missing(names: tuple[str, ...], counts: dict[str, int], *, either: bool) -> tuple[str, ...]:
    missing = tuple(name for name in names if not counts[name])
    return () if either and len(missing) < len(names) else missing


def _declared(group: list[Result], part: str) -> bool:
    """Whether every cell of the group says that it does not try this property."""
    return all(cell.expect.delivery and part in cell.expect.delivery.untried for cell, _ in group)


def _refutes(judgement: Judgement, level: Level) -> bool:
    return any(found.name in LEVELS[level] and found.verdict is Verdict.VIOLATED for found in judgement.properties)


def _bound(group: list[Result], model: Model, counts: dict[str, int]) -> float | None:
    """Over the opportunities of cells with random faults."""
    random = [one for one in group if any(getattr(fault, "probability", None) is not None for fault in one[0].faults)]
    tried = sum(_seen(random, model, opportunity) for opportunity in counts)
    return rule_of_three(tried) if tried else None


def rule_of_three(tried: int) -> float:
    """Nothing in so many: with 95 % confidence it is at most this share of them (Hanley and Lippman-Hand 1983)."""
    return min(1.0, 3 / tried)
