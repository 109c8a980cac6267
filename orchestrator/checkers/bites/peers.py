"""PURE: which operations a crowd bit: those that its server had to serve beside it.

Its client says when it was there. That it came as far as the server, the server says itself, by what it used meanwhile:
it accepted more connections, could accept none for want of descriptors, or had its backlog full.
"""

from __future__ import annotations

from chaos.faults.peers import Crowd
from orchestrator.checkers.bites.values import RuleBite
from orchestrator.checkers.setting import Setting
from orchestrator.history.intervals import Intervals
from orchestrator.history.merged import Event, Operation

COUNTS = ("accepted", "refused", "overflows")
"""Of a server's usage: what connections that come to it do to it."""


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


def came(setting: Setting, index: int, fault: Crowd) -> bool:
    """Whether its server felt it: it accepted as many connections as the crowd has, or there were some that it could
    not take."""
    server = _server(setting, fault)
    lives = [samples for (node, _), samples in setting.index.usage.items() if node == server]
    windows = setting.index.windows.get(index, ())
    return any(_felt(samples, window.begin, fault) for window in windows for samples in lives)


def _felt(samples: list[Event], begin: int, fault: Crowd) -> bool:
    """Counts are of one life of a process. Connections that it kept waiting are accepted when the crowd is over."""
    before = next((event for event in reversed(samples) if event.order < begin), None)
    if before is None:
        return False
    grown = {name: (samples[-1].detail[name] or 0) - (before.detail[name] or 0) for name in COUNTS}
    return grown["accepted"] >= fault.connections or grown["refused"] + grown["overflows"] > 0


def _server(setting: Setting, fault: Crowd) -> str:
    return next(link.target for link in setting.cell.links if link.name == fault.link)
