"""PURE: the three properties that delivery levels are made of, and the opportunities that claiming them needs.

E(id) is the number of committed effects of operation `id` over all epochs, read from the ledgers. *valid*, *complete*
and *once* are what orchestrator/checkers/properties/ says of it.
"""

from __future__ import annotations

from chaos.faults.models import Model
from orchestrator.checkers.views import Views
from orchestrator.history.index import Trace
from orchestrator.scenario.cell import Level

LEVELS: dict[Level, tuple[str, ...]] = {
    "maybe": ("valid",),
    "at-least-once": ("valid", "complete"),
    "at-most-once": ("valid", "once"),
    "exactly-once": ("valid", "complete", "once"),
}

NEEDED: dict[tuple[str, Model], tuple[str, ...]] = {
    ("complete", "loss"): ("request-unseen", "reply-unseen"),
    ("complete", "server-crash"): ("died-before-commit", "died-after-commit"),
    ("complete", "connection-cut"): ("cut-while-open",),
    ("once", "loss"): ("repeat-after-commit",),
    ("once", "duplication"): ("repeat-while-executing", "repeat-after-commit"),
    ("once", "reordering"): ("seen-out-of-order",),
    ("once", "connection-cut"): ("cut-while-open",),
    ("once", "server-crash"): ("repeat-in-later-epoch", "died-after-commit"),
    ("once", "history-loss"): ("repeat-after-history-loss",),
    ("once", "history-trim"): ("repeat-after-trim",),
}
"""The table of docs/semantics.md, turned round: what must have been seen to claim a property under a model."""


def judged(setting: Views) -> list[Trace]:
    """The operations that delivery speaks of: those that have an effect, or were invoked by nobody."""
    return [trace for trace in setting.index.traces.values() if trace.invoke is None or trace.has_effect]


def tried(setting: Views, name: str) -> dict[str, int]:
    """How many operations offered each opportunity that the property needs under the cell's failure models."""
    delivery = setting.cell.expect.delivery
    models = delivery.under if delivery else ()
    wanted = {opportunity for model in models for opportunity in NEEDED.get((name, model), ())}
    return {opportunity: len(setting.offered.get(opportunity, ())) for opportunity in sorted(wanted)}
