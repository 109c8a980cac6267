"""PURE: what each engine offers, a row each, read off the engines and the probes themselves.

`faultbed doctor`, `faultbed probe --list` and docs/engines.md all say what stands here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from nodes import engines, probes
from nodes.engines.common.offer import Offer
from nodes.probes.common.kinds import model
from nodes.wire.transports import TRANSPORTS

HEADING = ("engine", "how it performs operations", "model", "workers", "limits", "probes")


class Row(NamedTuple):
    """`model`: how it learns that it can go on. `workers`: loops, at most. `limits`: what others do and it does not."""

    engine: str
    about: str
    model: str
    workers: int
    limits: str
    probes: str

    @property
    def line(self) -> str:
        """As `faultbed doctor` says it."""
        workers = f"up to {self.workers} workers" if self.workers > 1 else ""
        return "; ".join(part for part in (self.model, workers, self.limits, self.probes) if part)


def row(engine: str) -> Row:
    """Wherever it can run. Raises KeyError for an unknown name."""
    offer = engines.offer(engine)
    limits = "; ".join(limited(offer))
    return Row(engine, engines.about(engine), model(engine), offer.workers, limits, probes.offered(engine))


def limited(offer: Offer) -> Iterator[str]:
    if missing := [name for name in TRANSPORTS if name not in offer.transports]:
        yield f"no {', '.join(missing)}"
    if not offer.shared:
        yield "connections share no memory"
    if not offer.post:
        yield "nothing is put in from outside"
    if not offer.everywhere:
        yield "not in every container"


def listed(rows: Iterable[Row]) -> Iterator[str]:
    """As lines of text, aligned."""
    told = list(rows)
    width = max((len(each.engine) for each in told), default=0)
    yield from (f"{each.engine:<{width}}  {each.line}" for each in told)


def markdown(rows: Iterable[Row]) -> Iterator[str]:
    yield f"| {' | '.join(HEADING)} |"
    yield f"|{'---|' * len(HEADING)}"
    for engine, *cells in rows:
        yield f"| {' | '.join([f'`{engine}`', *map(str, cells)])} |"
