"""PURE: what an exploration came to, in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

from orchestrator.checkers.opportunities import OPPORTUNITIES
from orchestrator.checkers.summary import rule_of_three
from orchestrator.explore.theory import KEPT
from orchestrator.scenario.cell import Semantics

if TYPE_CHECKING:
    from orchestrator.explore.hunt import Hunt
    from orchestrator.explore.shrink import Shrunk


def tried(hunt: Hunt, what: str, seconds: float) -> Iterator[str]:
    """How much was tried, and what it covered."""
    refused = f"; {hunt.refused} more that were drawn did not fit together" if hunt.refused else ""
    yield f"{hunt.made} runs of {what} in {seconds:.0f} s, seed {hunt.seed}{refused}"
    pairs = f"covered: {len(hunt.seen)} pairs of an opportunity and the state of the mechanism that met it"
    yield f"{pairs}, of" if hunt.seen else pairs
    yield from _table(hunt)
    never = sorted(OPPORTUNITIES.keys() - {pair.opportunity for pair in hunt.seen})
    if never:
        yield f"  never offered: {', '.join(never)}"


def _table(hunt: Hunt) -> Iterator[str]:
    counts = Counter((pair.opportunity, pair.semantics) for pair in hunt.seen)
    columns: list[Semantics] = [each for each in KEPT if any(of == each for _, of in counts)]
    if not columns:
        return
    names = sorted({opportunity for opportunity, _ in counts})
    width = max(map(len, names))
    yield "  " + "  ".join(["".ljust(width), *columns])
    for name in names:
        yield "  " + "  ".join([name.ljust(width), *(f"{counts[name, each]:{len(each)}}" for each in columns)])


def ending(hunt: Hunt) -> str:
    """Whether anything surprised; where nothing did, how much of it there may be."""
    if hunt.finds:
        return f"surprised: {_some(len(hunt.finds), 'kind')} of surprise in {hunt.made} runs"
    if not hunt.made:
        return "nothing was run"
    bound = rule_of_three(hunt.made)
    return f"nothing surprised: with 95 % confidence at most {bound:.2g} of such runs do (3/{hunt.made})"


def shrunk_to(shrunk: Shrunk) -> str:
    """How large the scenario is that shows it, and whether it may be larger than it need be."""
    callers = shrunk.cell.clients.values()
    clients = sum(client.clients for client in callers)
    calls = sum(client.clients * client.calls for client in callers)
    size = f"{_some(len(shrunk.cell.faults), 'fault')}, {_some(calls, 'call')} of {_some(clients, 'client')}"
    made = _some(shrunk.runs, "run")
    return f"shrunk in {made} to {size}" if shrunk.whole else f"shrinking was cut short after {made}, at {size}"


def _some(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
