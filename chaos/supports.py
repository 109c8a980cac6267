"""PURE: which faults each plane can perform. A link goes through one plane, named by its `via`."""

from __future__ import annotations

from types import MappingProxyType
from typing import Literal, get_args

from chaos.faults.fault import Fault, PacketFault, RelayFault, ToxicFault
from chaos.faults.vocabulary import kinds

PlaneName = Literal["relay", "toxiproxy", "packet"]
PLANES: tuple[PlaneName, ...] = get_args(PlaneName)
"""The planes that run in a process of their own, in the order in which they are started."""

WITHOUT_MESSAGES = frozenset({"toxiproxy", "packet"})
"""Those that see streams or packets, and no message in them."""

_BASES: dict[PlaneName, type[Fault]] = {"relay": RelayFault, "toxiproxy": ToxicFault, "packet": PacketFault}
SUPPORTS: MappingProxyType[PlaneName, frozenset[type[Fault]]] = MappingProxyType(
    {plane: frozenset(kinds(base).values()) for plane, base in _BASES.items()}
)

PLANE_OF: MappingProxyType[str, PlaneName] = MappingProxyType(
    {"relay": "relay", "toxiproxy": "toxiproxy", "direct": "packet"}
)
"""A link's `via` -> the plane whose faults it can have."""
