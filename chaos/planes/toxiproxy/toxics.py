"""PURE: stream faults as Toxiproxy's API says them. Source: Toxiproxy 2.12, README, "Toxics", and its toxics/*.go.

A toxic is one stage of a direction's pipeline; what is switched on later stands nearer to the receiver. Switched on,
each one acts on the connections that are open as on later ones, with one difference:

latency     holds each piece that comes from now on; pieces that waited when it is switched off pass at once
bandwidth   as latency
slow_close  delays ends that come from now on
timeout     drops what comes; every piece restarts its time. Switched off, it closes the connections that it held;
            a piece that comes at that moment may still pass
reset_peer  drops the next piece and closes so long after it. Connections opened while it is on are reset (RST);
            those that were open before end in order (end of file)
slicer      slices what comes from now on
limit_data  counts from when it was switched on or the connection was opened, whichever is later
down        (not a toxic: the proxy is disabled) closes all connections; nobody listens until it is switched off

Which connections a `toxicity` below 1 picks is drawn by Toxiproxy for each connection and direction, and drawn anew for
open connections whenever a toxic of their direction is switched: it is not replayable.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from chaos.faults import streams
from chaos.faults.fault import ToxicFault
from chaos.faults.rooms import kinds
from chaos.faults.streams import Bandwidth, Latency, LimitData, ResetPeer, Slicer, SlowClose, Timeout, Toxic

KINDS = kinds(ToxicFault, streams)
"""The faults of this plane, by the names that they travel under."""


class Spec(NamedTuple):
    """A toxic for the API: durations in milliseconds (a slicer's delay: microseconds), sizes in bytes, rates: KB/s."""

    type: str
    stream: str
    toxicity: float
    attributes: dict[str, int]


TYPES: Mapping[type[Toxic], tuple[str, Mapping[str, str]]] = MappingProxyType(
    {
        Latency: ("latency", {"latency": "latency", "jitter": "jitter"}),
        Bandwidth: ("bandwidth", {"bandwidth": "rate"}),
        SlowClose: ("slow_close", {"slow_close": "delay"}),
        Timeout: ("timeout", {"timeout": "timeout"}),
        ResetPeer: ("reset_peer", {"reset_peer": "timeout"}),
        Slicer: ("slicer", {"slicer": "average_size", "variation": "size_variation", "gap": "delay"}),
        LimitData: ("limit_data", {"limit_data": "bytes"}),
    }
)
"""Fault -> the toxic's type, and its attributes by the fault's fields."""


def spec(fault: Toxic) -> Spec:
    type_, attributes = TYPES[type(fault)]
    values = {attribute: getattr(fault, field) for field, attribute in attributes.items()}
    return Spec(type_, fault.stream, fault.toxicity, values)
