"""PURE: faults on packets, which the kernel performs in the nodes' network namespaces."""

from __future__ import annotations

from collections.abc import Iterator

from chaos.faults.packets import Blackhole, Loss, Netem, Reject, Shape, Split
from chaos.faults.paths import Partition, Rate
from chaos.faults.vocabulary import PacketFault
from chaos.groups import groups_of, separated
from nodes.wire.transports import datagrams
from orchestrator.scenario.cell import Cell
from orchestrator.scenario.coherence.problem import Path, Problem, link_called, names

SHARES = ("loss", "duplicate", "reorder", "corrupt")
CORRELATIONS = {"delay_correlation": "jitter", "loss_correlation": "loss"}
NEEDS = {"jitter": "delay", "distribution": "jitter", "reorder": "delay", **CORRELATIONS}
"""A value of netem's and what it is a property of (tc-netem(8))."""


def problems(cell: Cell, fault: PacketFault, path: Path) -> Iterator[Problem]:
    match fault:
        case Loss():
            yield from _loss(fault, path)
        case Rate():
            if fault.bytes_per_second < 1:
                yield Problem((*path, "bytes_per_second"), "expected at least 1 byte a second")
        case Reject(reject="rst"):
            yield from _connections(cell, fault.link, (*path, "reject"), "expected transport: tcp, or reject: icmp")
        case Blackhole():
            if fault.blackhole < 1:
                yield Problem((*path, "blackhole"), "open connections count from 1")
            yield from _connections(cell, fault.link, (*path, "blackhole"), "expected transport: tcp")
        case Netem():
            yield from _shape(fault.netem, (*path, "netem"))
        case Reject() | Partition() | Split():
            pass


def _loss(fault: Loss, path: Path) -> Iterator[Problem]:
    if (fault.probability is None) == (fault.every is None):
        yield Problem((*path, "loss"), "which packets? expected either probability or every")
    if fault.probability is not None and not 0 < fault.probability <= 1:
        yield Problem((*path, "probability"), "expected more than 0 and at most 1")
    if fault.every is not None and fault.every < 1:
        yield Problem((*path, "every"), "expected 1 or more")


def _connections(cell: Cell, name: str, path: Path, expected: str) -> Iterator[Problem]:
    if datagrams(transport := link_called(cell, name).transport):
        yield Problem(path, f"{name} is {transport}, which has no connections; {expected}")


def _shape(shape: Shape, path: Path) -> Iterator[Problem]:
    if shape == Shape():
        yield Problem(path, "asks for nothing; expected delay, loss, duplicate, reorder, corrupt or bytes_per_second")
    for key in (*SHARES, *CORRELATIONS):
        share = getattr(shape, key)
        if share is not None and not 0 < share <= 1:
            yield Problem((*path, key), "a share; expected more than 0 and at most 1")
    for key in ("delay", "jitter", "bytes_per_second"):
        if getattr(shape, key) is not None and getattr(shape, key) < 1:
            yield Problem((*path, key), "expected at least 1")
    for key, needed in NEEDS.items():
        if getattr(shape, key) is not None and getattr(shape, needed) is None:
            yield Problem((*path, key), f"it is a property of {needed}; expected {needed} beside it")


def split(cell: Cell, fault: Split, path: Path) -> Iterator[Problem]:
    """Groups of nodes that have direct links and no others, and two that call one another in none together."""
    key = "groups" if fault.split == "groups" else "nodes"
    yield from _form(fault, (*path, key))
    for name in dict.fromkeys([*fault.nodes, *(name for group in fault.groups for name in group)]):
        if name not in cell.servers and name not in cell.clients:
            yield Problem((*path, key), f"no node {name!r}; expected some of {names([*cell.servers, *cell.clients])}")
        for link in cell.links:
            if name in (link.source, link.target) and link.via != "direct":
                message = f"{link.name} has via: {link.via}; a split separates links with via: direct"
                yield Problem((*path, key), message)
    if not any((link.source, link.target) in _apart(fault) for link in cell.links):
        yield Problem((*path, key), "no client is separated from its server; expected one whose calls it stops")


def _form(fault: Split, path: Path) -> Iterator[Problem]:
    if fault.split == "groups" and fault.nodes:
        yield Problem((*path[:-1], "nodes"), "split: groups takes groups; nodes belong to the other shapes")
    if fault.split != "groups" and fault.groups:
        message = f"split: {fault.split} makes its groups of nodes; groups belong to split: groups"
        yield Problem((*path[:-1], "groups"), message)
    try:
        groups_of(fault)
    except ValueError as error:
        yield Problem(path, str(error))


def _apart(fault: Split) -> frozenset[tuple[str, str]]:
    try:
        return separated(fault)
    except ValueError:  # _form has said so
        return frozenset()
