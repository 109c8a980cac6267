"""PURE: what a mechanism promises under which failure models; the table of docs/semantics.md, as data.

What it does not promise may hold all the same. Whatever the faults, every mechanism promises *valid*, and that each
checker which is always asked finds nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from typing import get_args

from chaos.faults.models import Model
from nodes.services import WITH_EFFECT
from nodes.wire.transports import TRANSPORTS
from orchestrator.run.specs import plane_of
from orchestrator.scenario.cell import LEVELS, AnyLink, Cell, Delivery, Expect, Level, Semantics

MODELS: tuple[Model, ...] = get_args(Model)
NETWORK: frozenset[Model] = frozenset(MODELS) - {"server-crash", "history-loss"}
"""Under these the server lives on, with all that it remembers."""

KEPT: Mapping[Semantics, Mapping[str, frozenset[Model]]] = {
    "maybe": {},
    "at-least-once": {"complete": frozenset(MODELS)},
    "at-most-once": {"complete": frozenset(MODELS), "once": NETWORK},
    "at-most-once-incarnation": {"complete": NETWORK, "once": frozenset(MODELS)},
    "exactly-once": {"complete": frozenset(MODELS) - {"history-loss"}, "once": frozenset(MODELS)},
}
"""Mechanism -> property -> the models under which it keeps it. A budget of attempts may be spent under any of them, and
then the call is not complete (row 15)."""

CORRUPTED = frozenset({"valid", "complete", "staleness"})
"""Checks that may find something where bits flip and no checksum is there to tell: that is outside every model."""
UNFENCED = frozenset({"staleness"})
"""Checks that may find something where a stopped process wakes beside its successor: its ledger's fence keeps it from
writing, and not from answering reads by what it knew."""

VALID = Expect.model_validate({"valid": "holds"})
_LEVEL: dict[frozenset[str], Level] = {frozenset(parts): level for level, parts in LEVELS.items()}


def promised(semantics: Semantics, models: Iterable[Model], budget: int | None) -> Level:
    """The level that a mechanism has under all of these models together. `budget` is of attempts, None: no end."""
    under = frozenset(models)
    kept = {name for name, where in KEPT[semantics].items() if under <= where}
    return _LEVEL[frozenset({"valid", *kept} - ({"complete"} if budget is not None else set()))]


def brought(cell: Cell) -> tuple[Model, ...]:
    """The models that the cell's faults may bring."""
    found = {model for index, _ in enumerate(cell.faults) for model in brought_by(cell, index)}
    return tuple(model for model in MODELS if model in found)


def brought_by(cell: Cell, index: int) -> tuple[Model, ...]:
    """Those of one fault, over each link that it is on."""
    fault = cell.faults[index]
    packets = plane_of(cell, fault) == "packet"
    met = [link for link in cell.links if fault.on_link in (None, link.name)]
    found = [fault.models(datagrams=not TRANSPORTS[link.transport].ordered, packets=packets) for link in met]
    return tuple(dict.fromkeys(model for models in found for model in models))


def excused(cell: Cell) -> frozenset[str]:
    """The checks whose findings are no surprise."""
    corrupted = any(fault.alters for fault in cell.faults)
    struck = (fault.on_process for fault in cell.faults)
    succeeded = any(one and not one.deadly and one.restart for one in struck)
    return frozenset(CORRUPTED if corrupted else ()).union(UNFENCED if succeeded else ())


def expected(cell: Cell) -> Expect:
    """What the cell is to be judged by: the weakest of what the mechanisms of its links promise."""
    services = {cell.servers[link.target].service for link in cell.links}
    if services.isdisjoint(WITH_EFFECT):
        return VALID
    models = brought(cell)
    parts = [frozenset(LEVELS[promised(link.semantics, models, _budget(cell, link))]) for link in cell.links]
    return _expect(_LEVEL[frozenset.intersection(*parts)], models)


@cache
def _expect(level: Level, models: tuple[Model, ...]) -> Expect:
    return Expect(delivery=Delivery(holds=level, under=models))


def by_theory(cell: Cell) -> Cell:
    """What is promised changes with the faults."""
    return cell.model_copy(update={"expect": expected(cell)})


def _budget(cell: Cell, link: AnyLink) -> int | None:
    return cell.clients[link.source].retry.attempts
