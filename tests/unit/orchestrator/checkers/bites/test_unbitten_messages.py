"""What a rule met has not bitten where its receiver knows nothing of what was done to it."""

from __future__ import annotations

import pytest
from history_builder import Run, cell
from stories import CUT, LINK

from chaos.faults.fault import Fault
from chaos.faults.messages import Slice, Truncate
from chaos.faults.paths import Rate
from nodes.wire.record import Kind
from orchestrator.checkers.bites.bite import bite
from orchestrator.checkers.setting import Setting
from orchestrator.history.index import Index

RATE = Rate(rate="request", link=LINK, bytes_per_second=1000)
SLICE = Slice(slice="request", size=16, gap=20, link=LINK, operations=(1,))
TRUNCATE = Truncate(truncate="request", link=LINK, operations=(1,))


def met(act: str) -> Run:
    """The request, about which the relay decided so."""
    return Run().invoke(1).send(1).decide("request", 1, act=act, rule=0)


def late(act: str) -> Run:
    """It was received after 15 ms, and the relay says that it was done with it after a second."""
    return met(act).wait(15).run(1).wait(1000).release("request", 1, act=act)


def answered(run: Run) -> Run:
    return run.decide("reply", 1).reply(1, 1, 1).ok(1, 1)


@pytest.mark.parametrize(
    ("run", "fault"),
    [
        (answered(late("rate")), RATE),
        (answered(late("slice")), SLICE),
        (answered(met("truncate").run(1).server(Kind.BROKEN, 0, 0, 0, reason="cut off", size=9)), TRUNCATE),
        (answered(met("cut").run(1)), CUT),
        (answered(met("cut").end(1, error="timeout").run(1)), CUT),
    ],
    ids=[
        "received long before it was let go",
        "received before most of its pieces",
        "received whole, and another broken",
        "a connection that did not end",
        "a connection that its client gave up",
    ],
)
def test_it_is_idle(run: Run, fault: Fault) -> None:
    found = bite(Setting(cell(faults=(fault,)), Index(run.healed(2).history())))
    assert (found.bitten, found.idle) == (frozenset(), (0,))
