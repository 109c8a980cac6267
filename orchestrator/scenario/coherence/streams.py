"""PURE: faults on byte streams, which Toxiproxy performs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from chaos.faults.streams import Down, Toxic
from chaos.faults.vocabulary import ToxicFault
from orchestrator.scenario.coherence.problem import Path, Problem

LEAST: Mapping[str, int] = MappingProxyType(
    {
        "latency": 1,
        "jitter": 0,
        "bandwidth": 1,
        "slow_close": 1,
        "timeout": 0,
        "reset_peer": 0,
        "slicer": 1,
        "variation": 0,
        "gap": 1,
        "limit_data": 0,
    }
)
"""The least value of each number. Slices without a gap between them leave no trace in anybody's journal."""


def problems(fault: ToxicFault, path: Path) -> Iterator[Problem]:
    if isinstance(fault, Down):
        return
    for key, least in LEAST.items():
        if getattr(fault, key, least) < least:
            yield Problem((*path, key), f"expected at least {least}")
    yield from _toxicity(fault, path)
    variation, size = getattr(fault, "variation", 0), getattr(fault, "slicer", 1)
    if variation >= size:
        yield Problem((*path, "variation"), f"expected less than the {size} bytes of a slice")


def _toxicity(fault: Toxic, path: Path) -> Iterator[Problem]:
    if not 0 < fault.toxicity <= 1:
        yield Problem((*path, "toxicity"), "a share of the connections; expected more than 0 and at most 1")
