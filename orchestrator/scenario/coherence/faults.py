"""PURE: whether each fault is one that its link's plane can do, at a time that comes; the rest each says of itself."""

from __future__ import annotations

from collections.abc import Iterator

from chaos.faults.fault import Fault
from chaos.faults.window import A_DURATION
from chaos.problem import Path, Problem, names
from chaos.supports import PLANE_OF, SUPPORTS
from nodes.services import WITH_EFFECT
from orchestrator.scenario.cell import Cell, SocketLink
from orchestrator.scenario.coherence.around import around
from orchestrator.scenario.coherence.waiting import named, trigger
from orchestrator.scenario.triggers import TriggerEvent, parse_trigger, placed_triggers


def problems(cell: Cell) -> Iterator[Problem]:
    for index, fault in enumerate(cell.faults):
        for path, message in _fault(cell, fault):
            yield Problem(("faults", index, *path), message)


def _fault(cell: Cell, fault: Fault) -> Iterator[Problem]:
    yield from _window(cell, fault)
    if fault.on_link is not None:
        called = {link.name: link.via for link in cell.paths}
        if fault.on_link not in called:
            yield Problem(("link",), f"no link {fault.on_link!r}; expected one of {names(called)}")
            return
        yield from _reach(fault, called[fault.on_link])
        yield from _asked(cell, fault)
    yield from fault.problems_in(around(cell))
    yield from fault.problems()
    yield from _turns(cell, fault)


def _turns(cell: Cell, fault: Fault) -> Iterator[Problem]:
    """Whether the operations that it lists take its link, of a client that has several."""
    if (struck := fault.on_process) is not None:
        key, met = "operation", [link for link in cell.links if link.target == struck.target]
    else:
        key, met = "operations", [link for link in cell.links if link.name == fault.on_link]
    for number in fault.numbers if met else ():
        taken = cell.link_of(met[0].source, number)
        if taken is not None and taken not in met:
            message = f"operation {number} goes over {taken.name}: operations take a client's links in turn"
            yield Problem((key,), message)


def _window(cell: Cell, fault: Fault) -> Iterator[Problem]:
    if fault.name is not None:
        taken = [other.name for other in cell.faults]
        if taken.count(fault.name) > 1:
            yield Problem(("name",), f"two faults are called {fault.name!r}")
    for path, text in placed_triggers(fault):
        yield from trigger(cell, text, path)
    if fault.when is not None:
        yield from _begins(cell, fault.when)
    for key in ("after", "lasts"):
        if (found := getattr(fault, key) or 0) < 0:
            yield Problem((key,), f"expected {A_DURATION}; found {found}")


def _begins(cell: Cell, text: str) -> Iterator[Problem]:
    """Heal ends what else has no end, and no fault begins after it."""
    path: Path = ("when",)
    try:
        subject, event, _ = parse_trigger(text)
    except ValueError:
        return  # told by `trigger`
    fault = named(cell, subject) if event is TriggerEvent.OFF else None
    if event is TriggerEvent.HEALED:
        yield Problem(path, "no fault begins after heal; expected a trigger that comes before")
    elif fault is not None and fault.lasting and fault.lasts is None:
        yield Problem(path, f"{text!r}: {subject} is on until heal, and no fault begins after heal; give it lasts")


def _asked(cell: Cell, fault: Fault) -> Iterator[Problem]:
    """Whether its server can be asked without a header of ours, and is the same afterwards."""
    link = next((link for link in cell.links if link.name == fault.on_link), None)
    if not fault.asks or link is None or link.target not in cell.servers:
        return
    service = cell.servers[link.target].service
    if service in WITH_EFFECT:
        message = f"it asks for what is nobody's operation, and a {service} would count it; expected a service echo"
        yield Problem((fault.verb,), message)
    elif isinstance(link, SocketLink):
        message = f"it asks plain calls, and {link.name} is of {link.protocol}; expected a link with semantics"
        yield Problem((fault.verb,), message)


def _reach(fault: Fault, via: str) -> Iterator[Problem]:
    """Whether the plane that the link goes through can do it at all."""
    kind, verb = type(fault), fault.verb
    if fault.by_client or kind in SUPPORTS[PLANE_OF[via]]:
        return
    others = " or ".join(f"via: {other}" for other, plane in PLANE_OF.items() if kind in SUPPORTS[plane])
    can = names(one.verb for one in SUPPORTS[PLANE_OF[via]])
    message = f"{verb} needs a link with {others}; {fault.on_link} has via: {via}, which can have {can}"
    yield Problem((verb,), message)
