"""PURE: the smallest cell that still surprises in the same way (delta debugging: Zeller and Hildebrandt 2002).

Rules of this file:

1. Each step is smaller in one respect, and larger in none: so it ends.
2. What takes most away is tried first, and what was found to surprise is gone on from.
3. Another schedule may hide what a cell does, so each is tried under a few seeds; the smallest seed that will do is
   what stays.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import fields, replace
from typing import Any, NamedTuple

from chaos.faults.fault import Fault
from chaos.faults.processes import Restart
from orchestrator.explore.theory import expected
from orchestrator.scenario.cell import Cell, Client, Retry, Server
from orchestrator.scenario.coherence import problems
from orchestrator.scenario.triggers import CLIENT_EVENTS, parse_trigger

MOST = 600
"""Runs that are spent on one cell."""
SEEDS = range(1, 9)

Surprises = Callable[[Cell], bool]
Judged = Callable[[Cell], Cell]


class Shrunk(NamedTuple):
    """`runs` were spent on it."""

    cell: Cell
    runs: int


def by_theory(cell: Cell) -> Cell:
    """What is promised changes with the faults."""
    return cell.model_copy(update={"expect": expected(cell)})


def shrink(cell: Cell, surprises: Surprises, judged: Judged = by_theory, most: int = MOST) -> Shrunk:
    """`surprises` says of a cell whether it does; it does of this one."""
    search = _Search(surprises, judged, most)
    while (smaller := search.smaller(cell)) is not None:
        cell = smaller
    return Shrunk(cell, search.runs)


class _Search:
    def __init__(self, surprises: Surprises, judged: Judged, most: int) -> None:
        self.runs = 0
        self._surprises = surprises
        self._judged = judged
        self._most = most
        self._tried: set[str] = set()

    def smaller(self, cell: Cell) -> Cell | None:
        for candidate in candidates(cell):
            for seed in dict.fromkeys((cell.seed, *SEEDS)):
                if (found := self._try(candidate.model_copy(update={"seed": seed}))) is not None:
                    return found
        for seed in SEEDS:
            if seed < cell.seed and (found := self._try(cell.model_copy(update={"seed": seed}))) is not None:
                return found
        return None

    def _try(self, candidate: Cell) -> Cell | None:
        """A cell is not run twice."""
        if self.runs >= self._most:
            return None
        candidate = self._judged(candidate)
        if (key := repr(candidate)) in self._tried or next(problems(candidate), None) is not None:
            return None
        self._tried.add(key)
        self.runs += 1
        return candidate if self._surprises(candidate) else None


def candidates(cell: Cell) -> Iterator[Cell]:
    """Every cell that is smaller in one respect, those that are much smaller first."""
    yield from _fewer_faults(cell)
    for name in cell.clients:
        yield from _smaller_client(cell, name)
    yield from _plainer_servers(cell)
    for place, fault in enumerate(cell.faults):
        for smaller in _smaller_fault(fault):
            yield _with_fault(cell, place, smaller)


def _fewer_faults(cell: Cell) -> Iterator[Cell]:
    if len(cell.faults) > 1:
        for place in range(len(cell.faults)):
            yield cell.model_copy(update={"faults": (*cell.faults[:place], *cell.faults[place + 1 :])})


def _with_fault(cell: Cell, place: int, fault: Fault) -> Cell:
    return cell.model_copy(update={"faults": (*cell.faults[:place], fault, *cell.faults[place + 1 :])})


def _with_node(cell: Cell, name: str, node: Client | Server) -> Cell:
    return cell.model_copy(update={"nodes": {**cell.nodes, name: node}})


# Clients and servers


def _smaller_client(cell: Cell, name: str) -> Iterator[Cell]:
    client = cell.clients[name]
    for fewer in _down_to(client.calls, 2):
        yield _with_node(_renumbered(cell, name, fewer - 1), name, _with_calls(client, fewer))
    for call in range(1, client.calls) if client.calls > 2 else ():
        yield _without_call(cell, name, call)
    for key in ("clients", "outstanding", "after_heal"):
        for fewer in _down_to(getattr(client, key), 1):
            yield _with_node(cell, name, client.model_copy(update={key: fewer}))
    for gate in client.gates:
        gates = {other: trigger for other, trigger in client.gates.items() if other != gate}
        yield _with_node(cell, name, client.model_copy(update={"gates": gates}))
    if client.retry != Retry():
        yield _with_node(cell, name, client.model_copy(update={"retry": Retry()}))


def _with_calls(client: Client, calls: int) -> Client:
    gates = {gate: trigger for gate, trigger in client.gates.items() if gate <= calls}
    return client.model_copy(update={"calls": calls, "gates": gates})


def _renumbered(cell: Cell, name: str, last: int) -> Cell:
    """Its faults, of operations up to this one."""
    return _moved(cell, name, lambda number: min(number, last))


def _without_call(cell: Cell, name: str, call: int) -> Cell:
    """The calls behind it take the numbers before theirs, in faults and gates too."""

    def moved(number: int) -> int:
        return number - 1 if number > call else number

    client = cell.clients[name]
    gates = {moved(gate): trigger for gate, trigger in client.gates.items() if gate != call}
    fewer = client.model_copy(update={"calls": client.calls - 1, "gates": gates})
    return _moved(_with_node(cell, name, fewer), name, moved)


def _moved(cell: Cell, name: str, moved: Callable[[int], int]) -> Cell:
    return cell.model_copy(update={"faults": tuple(_moved_fault(fault, name, moved) for fault in cell.faults)})


def _moved_fault(value: Any, name: str, moved: Callable[[int], int]) -> Any:
    """With other numbers of operations, also in its triggers."""
    changes: dict[str, Any] = {}
    for field in fields(value):
        held = getattr(value, field.name)
        if field.name == "operations" and held:
            changes[field.name] = tuple(sorted({moved(number) for number in held}))
        elif field.name == "operation" and held:
            changes[field.name] = moved(held)
        elif field.name in ("when", "until") and held:
            changes[field.name] = _moved_trigger(held, name, moved)
        elif isinstance(held, Restart):
            changes[field.name] = _moved_fault(held, name, moved)
    return replace(value, **changes)


def _moved_trigger(text: str, name: str, moved: Callable[[int], int]) -> str:
    subject, event, number = parse_trigger(text)
    return f"{subject} {event} {moved(number)}" if event in CLIENT_EVENTS and subject == name else text


def _plainer_servers(cell: Cell) -> Iterator[Cell]:
    for name, server in cell.servers.items():
        if server.yields:
            yield _with_node(cell, name, server.model_copy(update={"yields": 0}))


# Faults


def _smaller_fault(fault: Any) -> Iterator[Fault]:
    """One word less, or one number smaller."""
    for field in fields(fault):
        held = getattr(fault, field.name)
        if isinstance(held, tuple) and len(held) > 1:
            for one in held:
                yield replace(fault, **{field.name: tuple(other for other in held if other != one)})
        elif isinstance(held, Restart):
            yield from (replace(fault, **{field.name: plainer}) for plainer in _plainer(held))
        elif field.name != fault.verb and held != field.default:
            yield from _plainer_value(fault, field.name, held, field.default)
    yield from _of_one_operation(fault)


def _plainer(restart: Restart) -> Iterator[Restart]:
    if restart.state != "keep":
        yield replace(restart, state="keep")
    if restart.when is not None:
        yield replace(restart, when=None)
    if restart.after:
        yield replace(restart, after=0)


def _plainer_value(fault: Any, name: str, held: Any, default: Any) -> Iterator[Fault]:
    """What may be left out is; a number grows smaller."""
    if name in ("lasts", "jitter", "attempt", "epoch", "client", "clients", "when", "after", "copy", "until"):
        yield replace(fault, **{name: default})
    if isinstance(held, int) and not isinstance(held, bool):
        for fewer in _down_to(held, 1):
            yield replace(fault, **{name: fewer})


def _of_one_operation(fault: Any) -> Iterator[Fault]:
    """What meets many, or some by chance, may do it with one of them."""
    if hasattr(fault, "operations") and fault.operations is None:
        for number in (1, 2):
            yield replace(fault, operations=(number,), every=None, probability=None)


def _down_to(number: int, least: int) -> Iterator[int]:
    """Least first, then half of it, then one less."""
    yield from (fewer for fewer in dict.fromkeys((least, number // 2, number - 1)) if least <= fewer < number)
