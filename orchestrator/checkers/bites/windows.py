"""PURE: which operations a fault bit whose plane sees no messages: the streams of Toxiproxy, the packets of the kernel.

Such a plane says when a rule was on, and the kernel how many packets it met. Bitten are the operations that were open
meanwhile and of which a message was lost, late, or had its connection ended, as the fault does it; each function here
looks for that in the journals of both ends (docs/semantics.md, "Planes that see no messages").
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import ceil
from types import MappingProxyType
from typing import Any, NamedTuple

from chaos.faults.fault import Fault
from chaos.faults.packets import Blackhole, Loss, Netem, Reject, Split
from chaos.faults.paths import Partition, Rate
from chaos.faults.streams import Bandwidth, Down, Latency, LimitData, ResetPeer, Slicer, SlowClose, Timeout
from nodes.units import MILLISECOND
from orchestrator.checkers.bites.transits import NOISE, Transit, delayed, openings, transits
from orchestrator.checkers.failures import failures
from orchestrator.checkers.setting import Setting
from orchestrator.history.index import Trace, Window, per_attempt
from orchestrator.history.intervals import Intervals
from orchestrator.history.merged import Event, Operation
from orchestrator.history.trace import timed_out
from orchestrator.run.specs import plane_of

REPAIR = 200 * MILLISECOND
"""What a lost segment costs at least, if the kernel notices by time: the least retransmission timeout of Linux
(TCP_RTO_MIN; RFC 6298 has 1 s)."""
SMALLEST = 20
"""Bytes that every call and every reply has at least, in any codec."""
HEADERS = 42
"""Bytes that every packet has beside its message: Ethernet's, IPv4's and UDP's headers, which the kernel counts."""


class Suffering(NamedTuple):
    """What one operation went through while a rule was on: messages, waits for a connection with its hello
    (nanoseconds), ends of connections that it did not end itself; `failed` if no absent server explains one of them."""

    transits: list[Transit]
    waited: list[int]
    ends: list[Event]
    failed: bool


def open_meanwhile(setting: Setting, index: int, fault: Fault) -> frozenset[Operation]:
    """The operations on the fault's links that were open while it was on."""
    windows, names = Intervals(setting.index.windows.get(index, ())), links(setting, fault)
    return frozenset(
        operation
        for operation, trace in setting.index.invoked.items()
        if (link := setting.link_of(trace)) is not None and link.name in names and trace.open_in(windows)
    )


def links(setting: Setting, fault: Fault) -> frozenset[str]:
    """The names of the links that it is done to."""
    if fault.on_link is not None:
        return frozenset({fault.on_link})
    pairs = {link.name: {(link.source, link.target), (link.target, link.source)} for link in setting.cell.links}
    return frozenset(name for name, pair in pairs.items() if pair & fault.apart)


def met(setting: Setting, index: int, fault: Fault, trace: Trace) -> bool:
    """Whether its plane did anything on the operation's link: a packet fault needs a packet that it counted."""
    if plane_of(setting.cell, fault) != "packet":
        return True
    link = setting.link_of(trace)
    counted = setting.index.counted
    return link is not None and any(counted[index, link.name, direction] for direction in fault.directions)


def bitten(setting: Setting, index: int, fault: Fault, trace: Trace) -> bool:
    """Whether in one of the fault's windows the operation went through what the fault does."""
    return met(setting, index, fault, trace) and any(
        BITES[type(fault)](setting, fault, trace, _suffering(setting, fault, trace, window))
        for window in setting.index.windows.get(index, ())
        if trace.open_during(window.begin, window.end)
    )


def _suffering(setting: Setting, fault: Fault, trace: Trace, window: Window) -> Suffering:
    inside = [
        transit
        for transit in transits(setting, trace)
        if transit.direction in fault.directions and transit.within(window)
    ]
    waited = [
        then.time - first.time
        for first, then in openings(trace)
        if first.order < window.end and then.order > window.begin
    ]
    ends = [event for event in trace.ends if event.order > window.begin and not timed_out(event)]
    failed = any(window.begin < event.order < window.end for event in failures(setting, trace))
    return Suffering(inside, waited, ends, failed)


def _slow(setting: Setting, fault: Latency, trace: Trace, seen: Suffering) -> bool:
    return _slowed(seen, fault.latency * MILLISECOND)


def _narrowed(setting: Setting, fault: Bandwidth, trace: Trace, seen: Suffering) -> bool:
    return _slowed(seen, SMALLEST / fault.bandwidth * MILLISECOND)


def _sliced(setting: Setting, fault: Slicer, trace: Trace, seen: Suffering) -> bool:
    slices = ceil(SMALLEST / (fault.slicer + fault.variation))
    return _slowed(seen, (slices - 1) * fault.gap * 1_000)


def _paced(setting: Setting, fault: Rate, trace: Trace, seen: Suffering) -> bool:
    return _slowed(seen, _passage(fault.bytes_per_second))


def _ended(setting: Setting, fault: Fault, trace: Trace, seen: Suffering) -> bool:
    return seen.failed or _lost(seen)


def _missed(setting: Setting, fault: Fault, trace: Trace, seen: Suffering) -> bool:
    return _missing(seen)


def _lost(seen: Suffering) -> bool:
    return any(transit.lost for transit in seen.transits)


def _slowed(seen: Suffering, asked: float) -> bool:
    """A message, or connecting with its hello, took at least half of what was asked, or its client gave up on it."""
    if asked <= 0:
        return False
    waited = any(wait >= max(asked / 2, NOISE) for wait in seen.waited)
    return waited or any(transit.lost or transit.late(asked) for transit in seen.transits)


def _passage(bytes_per_second: int) -> float:
    """Nanoseconds that the smallest packet takes."""
    return (SMALLEST + HEADERS) / bytes_per_second * 1_000 * MILLISECOND


def _missing(seen: Suffering) -> bool:
    """Lost, or (what TCP makes of a loss) sent again by the kernel, or no connection came about."""
    return seen.failed or _slowed(seen, REPAIR)


def _ended_late(setting: Setting, fault: SlowClose, trace: Trace, seen: Suffering) -> bool:
    """The other side's last sign of life (its answer, or its death) is so much older than the connection's end."""
    server = setting.server_of(trace)
    for end in seen.ends:
        own = [event.order for event in (*trace.sends, *trace.answers) if event.attempt == end.attempt]
        signs = [order for order in (*own, *setting.index.died_before(server, end.order)) if order < end.order]
        if signs and delayed(setting.index.events[max(signs)], end, fault.slow_close * MILLISECOND):
            return True
    return False


def _shaped(setting: Setting, fault: Netem, trace: Trace, seen: Suffering) -> bool:
    shape = fault.netem
    if shape.delay is not None and _slowed(seen, shape.delay * MILLISECOND):
        return True
    if shape.bytes_per_second is not None and _slowed(seen, _passage(shape.bytes_per_second)):
        return True
    if shape.duplicate is not None and _doubled(fault, trace):
        return True
    return (shape.loss is not None or shape.corrupt is not None) and _missing(seen)


def _doubled(fault: Netem, trace: Trace) -> bool:
    """A receiver has more copies of an attempt than its sender handed over."""
    pairs = {"request": (trace.sends, trace.receives), "reply": (trace.answers, trace.replies)}
    return any(
        bool(per_attempt(received) - per_attempt(sent))
        for direction in fault.directions
        for sent, received in [pairs[direction]]
    )


BITES: Mapping[type[Fault], Callable[[Setting, Any, Trace, Suffering], bool]] = MappingProxyType(
    {
        Latency: _slow,
        Bandwidth: _narrowed,
        Slicer: _sliced,
        SlowClose: _ended_late,
        Timeout: _ended,
        ResetPeer: _ended,
        LimitData: _ended,
        Down: _ended,
        Reject: _ended,
        Loss: _missed,
        Partition: _missed,
        Split: _missed,
        Blackhole: _missed,
        Rate: _paced,
        Netem: _shaped,
    }
)
"""Every fault of Toxiproxy and of the kernel."""
