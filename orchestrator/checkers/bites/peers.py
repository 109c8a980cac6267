"""PURE: which operations a crowd bit: those that its server had to serve beside it.

Its client says when it was there. That it came as far as the server, the server says itself, by what it used meanwhile:
it accepted more connections, could accept none for want of descriptors, or had its backlog full.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from chaos.faults.peers import Crowd
from nodes.units import MILLISECOND
from nodes.wire.record import Kind
from orchestrator.checkers.bites.values import RuleBite
from orchestrator.checkers.setting import Setting
from orchestrator.history.index import Window
from orchestrator.history.intervals import Intervals
from orchestrator.history.merged import Event, Operation

COUNTS = ("accepted", "refused", "overflows")
"""Of a server's usage: what connections that come to it do to it."""
LATER = 500 * MILLISECOND
"""What waited in the backlog when the crowd left is accepted by then."""


def bite(setting: Setting, index: int, fault: Crowd) -> RuleBite:
    """Named is what was open while it was there, whoever called; applied and bitten is all of it, or nothing."""
    meanwhile = open_meanwhile(setting, index, fault)
    felt = meanwhile if came(setting, index, fault) else frozenset[Operation]()
    return RuleBite(index, meanwhile, felt, felt)


def open_meanwhile(setting: Setting, index: int, fault: Crowd) -> frozenset[Operation]:
    """The operations on the fault's server that were open while it was on."""
    windows, server = Intervals(setting.index.windows.get(index, ())), _server(setting, fault)
    return frozenset(
        operation
        for operation, trace in setting.index.invoked.items()
        if setting.server_of(trace) == server and trace.open_in(windows)
    )


class Seen(NamedTuple):
    """One time that it was there: what its client says of it, and by how much its server's counts grew meanwhile."""

    crowd: Mapping[str, int]
    grown: Mapping[str, int]


def came(setting: Setting, index: int, fault: Crowd) -> bool:
    """Whether it was there at some time: some of it at least was let in, and its server accepted all of it, or could
    not take it."""
    return any(_felt(fault, seen) for seen in times(setting, index, fault))


def _felt(fault: Crowd, seen: Seen) -> bool:
    """One that its own client had no room for is not what was asked."""
    together = seen.crowd["connected" if fault.crowd == "resets" else "most"]
    if seen.crowd["connected"] == 0 or (seen.crowd["lacking"] and together < fault.connections):
        return False
    taken = min(together, seen.grown["accepted"]) >= fault.connections
    return taken or seen.grown["refused"] + seen.grown["overflows"] > 0


def times(setting: Setting, index: int, fault: Crowd) -> Iterator[Seen]:
    """Those that its client and its server both tell of."""
    server = _server(setting, fault)
    lives = [samples for (node, _), samples in setting.index.usage.items() if node == server]
    told = [event for event in setting.index.of_kind(Kind.CROWD) if event.detail["rule"] == index]
    for window in setting.index.windows.get(index, ()):
        crowd = next((event for event in told if window.begin < event.order < window.end), None)
        for samples in lives:
            grown = _grown(samples, window, crowd)
            if crowd is not None and grown is not None:
                yield Seen(crowd.detail, grown)


def _grown(samples: Sequence[Event], window: Window, crowd: Event | None) -> Mapping[str, int] | None:
    """From the last sample before it to the first that is LATER than its end, or the last. None: of another life."""
    before = next((event for event in reversed(samples) if event.order < window.begin), None)
    if before is None or crowd is None or samples[-1].order < window.begin:
        return None
    after = next((event for event in samples if event.time > crowd.time + LATER), samples[-1])
    return {name: (after.detail[name] or 0) - (before.detail[name] or 0) for name in COUNTS}


def _server(setting: Setting, fault: Crowd) -> str:
    return next(link.target for link in setting.cell.links if link.name == fault.link)
