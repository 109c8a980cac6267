"""PURE: faults on identified messages, which the relay performs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from chaos.faults.messages import Cut, Delay, Duplicate, Hold, MessageFault
from chaos.faults.processes import Kill
from nodes.wire.transports import datagrams
from orchestrator.scenario.cell import Cell, Client
from orchestrator.scenario.coherence.problem import Path, Problem, link_called, trigger


def problems(cell: Cell, fault: MessageFault, path: Path) -> Iterator[Problem]:
    link = link_called(cell, fault.link)
    yield from _choice(cell.clients[link.source], fault, path)
    if fault.attempt != "all" and fault.attempt < 1:
        yield Problem((*path, "attempt"), "attempts count from 1; expected one of them, or all")
    if isinstance(fault, Cut) and datagrams(link.transport):
        message = f"{fault.link} is {link.transport}, which has no connection to cut; expected transport: tcp"
        yield Problem((*path, "cut"), message)
    if isinstance(fault, Duplicate):
        yield from _copy(cell, fault, link.target, path)
    if isinstance(fault, Hold) and fault.until is not None:
        yield from trigger(cell, fault.until, (*path, "until"))
    if isinstance(fault, Delay) and (fault.by < 1 or fault.jitter < 0):
        yield Problem((*path, "by"), "expected a delay of at least 1 ms, and a jitter that is not negative")


def _choice(client: Client, fault: MessageFault, path: Path) -> Iterator[Problem]:
    chosen = [key for key in ("operations", "every", "probability") if getattr(fault, key) is not None]
    if len(chosen) > 1:
        yield Problem((*path, chosen[1]), f"both {chosen[0]} and {chosen[1]}; expected one of them")
    if fault.operations is not None:
        yield from operations(client, fault.operations, (*path, "operations"))
    if fault.every is not None and fault.every < 1:
        yield Problem((*path, "every"), "expected 1 or more")
    if fault.probability is not None and not 0 < fault.probability <= 1:
        yield Problem((*path, "probability"), "expected more than 0 and at most 1")
    for ordinal in fault.clients or ():
        if not 1 <= ordinal <= client.clients:
            message = f"client process {ordinal} of {client.clients}; they count from 1"
            yield Problem((*path, "clients"), message)


def operations(client: Client, chosen: Iterable[int], path: Path) -> Iterator[Problem]:
    """Whether the client makes them, before heal."""
    last = client.last_before_heal
    if not chosen:
        yield Problem(path, "an empty list; expected the operations that the fault is to hit")
    for operation in chosen:
        if not 1 <= operation <= client.calls:
            yield Problem(path, f"operation {operation} of {client.calls} calls; operations count from 1")
        elif operation > last:
            message = f"operation {operation} comes after heal, when faults are over; expected at most {last}"
            yield Problem(path, message)


def _copy(cell: Cell, fault: Duplicate, server: str, path: Path) -> Iterator[Problem]:
    if fault.copy != "behind" and fault.duplicate == "reply":
        yield Problem((*path, "copy"), f"a reply's copy cannot wait for {fault.copy}; expected behind")
    restarted = any(isinstance(other, Kill) and other.kill == server for other in cell.faults)
    if fault.copy == "next-epoch" and not restarted:
        yield Problem((*path, "copy"), f"{server!r} has no next epoch; expected a fault that kills it")
