"""PURE: the three properties that delivery levels are made of, and the opportunities that claiming them needs.

E(id) is the number of committed effects of operation `id` over all epochs, read from the ledgers. *valid*, *complete*
and *once* are what orchestrator/checkers/properties/ says of it.
"""

from __future__ import annotations

from chaos.faults.models import Model
from orchestrator.checkers.views import Views
from orchestrator.history.index import Trace
from orchestrator.history.merged import Operation

NEEDED: dict[tuple[str, Model], tuple[str, ...]] = {
    ("complete", "loss"): ("request-unseen", "reply-unseen"),
    ("complete", "duplication"): ("repeat-while-executing",),
    ("complete", "reordering"): ("seen-out-of-order",),
    ("complete", "delay"): ("answered-late",),
    ("complete", "connection-cut"): ("cut-while-open",),
    ("complete", "server-crash"): ("died-before-commit", "died-after-commit", "invoked-while-down"),
    ("complete", "history-loss"): ("repeat-after-history-loss",),
    ("complete", "history-trim"): ("repeat-after-trim",),
    ("once", "loss"): ("repeat-after-commit",),
    ("once", "duplication"): ("repeat-while-executing", "repeat-after-commit"),
    ("once", "reordering"): ("repeat-out-of-order",),
    ("once", "delay"): ("repeat-while-executing", "repeat-after-commit"),
    ("once", "connection-cut"): ("repeat-after-cut",),
    ("once", "server-crash"): ("repeat-in-later-epoch", "died-after-commit"),
    ("once", "history-loss"): ("repeat-after-history-loss",),
    ("once", "history-trim"): ("repeat-after-trim",),
}
"""The table of docs/semantics.md, turned round: what must have been seen to claim a property under a model. One of them
exercises it in a cell; a suite claims it with all of them, each from some cell."""
EITHER: frozenset[tuple[str, Model]] = frozenset({("once", "delay")})
"""Where a suite, too, needs but one."""
_OF_THEIR_OWN: frozenset[Model] = frozenset({"server-crash", "history-loss", "history-trim"})
"""Whose opportunities tell by themselves what made them: they need not be of an operation that the fault bit."""


def judged(setting: Views) -> list[Trace]:
    """The odd operations that delivery speaks of: those that have an effect, or were invoked by nobody."""
    return [trace for trace in setting.odd.values() if trace.invoke is None or trace.has_effect]


def tried(setting: Views, name: str) -> dict[str, int]:
    """How many operations offered each opportunity that the property needs, under any of the failure models that the
    cell's delivery names; where it expects the property by itself, under any that bit."""
    expect = setting.cell.expect
    alone = setting.bite.models if name in expect.properties else ()
    found: dict[str, frozenset[Operation]] = {}
    for model in expect.delivery.under if expect.delivery else alone:
        for opportunity, operations in offering(setting, name, model).items():
            found[opportunity] = found.get(opportunity, frozenset()) | operations
    return {opportunity: len(operations) for opportunity, operations in sorted(found.items())}


def offering(setting: Views, name: str, model: Model) -> dict[str, frozenset[Operation]]:
    """Opportunity that the property needs under the model -> the operations that made it, of those that a fault of the
    model bit."""
    bitten = setting.bite.models.get(model, frozenset())
    nothing: frozenset[Operation] = frozenset()
    offered = {opportunity: setting.offered.get(opportunity, nothing) for opportunity in NEEDED[name, model]}
    if not bitten or model in _OF_THEIR_OWN:
        return offered if bitten else dict.fromkeys(offered, nothing)
    return {opportunity: operations & bitten for opportunity, operations in offered.items()}


def exercised(setting: Views, name: str, model: Model) -> bool:
    """Whether the run gave a weaker mechanism an opportunity to fail the property under the model. Of a system that is
    not ours nobody can tell."""
    return any(offering(setting, name, model).values())


def by_model(setting: Views) -> dict[str, dict[str, int]]:
    """Failure model -> how many operations it bit, and how many offered which opportunity that levels need under it."""
    found = {}
    for model, bitten in setting.bite.models.items():
        offers = {**offering(setting, "complete", model), **offering(setting, "once", model)}
        found[str(model)] = {"bitten": len(bitten)} | {name: len(by) for name, by in sorted(offers.items()) if by}
    return found
