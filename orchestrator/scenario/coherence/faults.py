"""PURE: whether each fault is one that its link's plane can do, at a time that comes, with numbers that make sense."""

from __future__ import annotations

from collections.abc import Iterator
from typing import get_args

from chaos.faults.messages import MessageFault
from chaos.faults.packets import Split
from chaos.faults.processes import Kill, Pause
from chaos.faults.vocabulary import Fault, PacketFault, ToxicFault
from chaos.supports import PLANE_OF, SUPPORTS
from orchestrator.scenario.cell import Cell
from orchestrator.scenario.coherence import messages, packets, processes, streams
from orchestrator.scenario.coherence.problem import Path, Problem, link_called, named, names, trigger
from orchestrator.scenario.fault_choice import FAULTS
from orchestrator.scenario.triggers import TriggerEvent, parse_trigger

VERBS = {kind: verb for verb, kind in FAULTS.items()}


def problems(cell: Cell) -> Iterator[Problem]:
    for index, fault in enumerate(cell.faults):
        path = ("faults", index)
        yield from _window(cell, fault, path)
        yield from _fault(cell, fault, path)


def _window(cell: Cell, fault: Fault, path: Path) -> Iterator[Problem]:
    if fault.name is not None:
        taken = [other.name for other in cell.faults]
        if taken.count(fault.name) > 1:
            yield Problem((*path, "name"), f"two faults are called {fault.name!r}")
    if fault.when is not None:
        yield from trigger(cell, fault.when, (*path, "when"))
        yield from _begins(cell, fault.when, (*path, "when"))
    for key in ("after", "lasts"):
        if (getattr(fault, key) or 0) < 0:
            yield Problem((*path, key), "expected a duration that is not negative")


def _begins(cell: Cell, text: str, path: Path) -> Iterator[Problem]:
    """Heal ends what else has no end, and no fault begins after it."""
    try:
        subject, event, _ = parse_trigger(text)
    except ValueError:
        return  # told by `trigger`
    if event is TriggerEvent.HEALED:
        yield Problem(path, "no fault begins after heal; expected a trigger that comes before")
    elif event is TriggerEvent.OFF and (fault := named(cell, subject)) is not None and fault.lasts is None:
        yield Problem(path, f"{text!r}: {subject} is on until heal, and no fault begins after heal; give it lasts")


def _fault(cell: Cell, fault: Fault, path: Path) -> Iterator[Problem]:
    if isinstance(fault, (Kill, Pause)):
        yield from processes.problems(cell, fault, path)
        return
    if isinstance(fault, Split):
        yield from packets.split(cell, fault, path)
        return
    called = [link.name for link in cell.links]
    if fault.link not in called:
        yield Problem((*path, "link"), f"no link {fault.link!r}; expected one of {names(called)}")
        return
    yield from _reach(cell, fault, fault.link, path)
    if isinstance(fault, MessageFault):
        yield from messages.problems(cell, fault, path)
    elif isinstance(fault, get_args(ToxicFault)):
        yield from streams.problems(fault, path)
    elif isinstance(fault, get_args(PacketFault)):
        yield from packets.problems(cell, fault, path)


def _reach(cell: Cell, fault: Fault, name: str, path: Path) -> Iterator[Problem]:
    """Whether the plane that the link goes through can do it at all."""
    link, verb = link_called(cell, name), VERBS[type(fault)]
    if type(fault) in SUPPORTS[PLANE_OF[link.via]]:
        return
    others = " or ".join(f"via: {via}" for via, plane in PLANE_OF.items() if type(fault) in SUPPORTS[plane])
    can = names(VERBS[kind] for kind in SUPPORTS[PLANE_OF[link.via]])
    yield Problem((*path, verb), f"{verb} needs a link with {others}; {name} has via: {link.via}, which can have {can}")
