"""PURE: which faults each plane can perform. A link goes through one plane, named by its `via`."""

from __future__ import annotations

from types import MappingProxyType
from typing import Literal, get_args

from chaos.faults.vocabulary import PacketFault, RelayFault, ToxicFault

PlaneName = Literal["relay", "toxiproxy", "packet"]
PLANES: tuple[PlaneName, ...] = get_args(PlaneName)
"""The planes that run in a process of their own, in the order in which they are started."""

SUPPORTS: MappingProxyType[PlaneName, frozenset[type]] = MappingProxyType(
    {
        "relay": frozenset(get_args(RelayFault)),
        "toxiproxy": frozenset(get_args(ToxicFault)),
        "packet": frozenset(get_args(PacketFault)),
    }
)

PLANE_OF: MappingProxyType[str, PlaneName] = MappingProxyType(
    {"relay": "relay", "toxiproxy": "toxiproxy", "direct": "packet"}
)
"""A link's `via` -> the plane whose faults it can have."""
