"""PURE: every cell that is smaller than one in one respect, those that are much smaller first."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import fields, replace
from typing import Any

from chaos.faults.fault import Fault
from chaos.faults.processes import Restart
from orchestrator.explore.mattered import mattered
from orchestrator.scenario.cell import Cell, Client, Retry, Server
from orchestrator.scenario.log import Log
from orchestrator.scenario.triggers import CLIENT_EVENTS, parse_trigger, placed_triggers


def candidates(cell: Cell, log: Log | None = None) -> Iterator[Cell]:
    """`log` is what was done in a run of it: a fault that may meet many is replaced by what it did to one."""
    yield from _fewer_faults(cell)
    for name in cell.clients:
        yield from _smaller_client(cell, name)
    yield from _plainer_servers(cell)
    for place, fault in enumerate(cell.faults):
        for smaller in mattered(cell, place, log) if log is not None else ():
            yield _with_fault(cell, place, smaller)
        for smaller in _smaller_fault(fault):
            yield _with_fault(cell, place, smaller)


def _fewer_faults(cell: Cell) -> Iterator[Cell]:
    if len(cell.faults) > 1:
        for place in range(len(cell.faults)):
            yield cell.model_copy(update={"faults": (*cell.faults[:place], *cell.faults[place + 1 :])})


def _with_fault(cell: Cell, place: int, fault: Fault) -> Cell:
    return cell.model_copy(update={"faults": (*cell.faults[:place], fault, *cell.faults[place + 1 :])})


def with_node(cell: Cell, name: str, node: Client | Server) -> Cell:
    return cell.model_copy(update={"nodes": {**cell.nodes, name: node}})


# Clients and servers


def _smaller_client(cell: Cell, name: str) -> Iterator[Cell]:
    client = cell.clients[name]
    yield from _named_alone(cell, name)
    for fewer in _down_to(client.clients, 1):
        yield _of_processes(with_node(cell, name, client.model_copy(update={"clients": fewer})), fewer)
    for fewer in _down_to(client.calls, 2):
        yield with_node(_renumbered(cell, name, fewer - 1), name, _with_calls(client, fewer))
    for call in range(1, client.calls) if client.calls > 2 else ():
        yield _without_call(cell, name, call)
    for key in ("outstanding", "after_heal"):
        for fewer in _down_to(getattr(client, key), 1):
            yield with_node(cell, name, client.model_copy(update={key: fewer}))
    for gate in client.gates:
        gates = {other: trigger for other, trigger in client.gates.items() if other != gate}
        yield with_node(cell, name, client.model_copy(update={"gates": gates}))
    if client.retry != Retry():
        yield with_node(cell, name, client.model_copy(update={"retry": Retry()}))


def _with_calls(client: Client, calls: int) -> Client:
    gates = {gate: trigger for gate, trigger in client.gates.items() if gate <= calls}
    return client.model_copy(update={"calls": calls, "gates": gates})


def _named_alone(cell: Cell, name: str) -> Iterator[Cell]:
    """One process that makes no calls but those that faults and gates name, and the last one."""
    client = cell.clients[name]
    named = {number for fault in cell.faults for number in fault.numbers} | set(client.gates) | {client.calls}
    for _, text in placed_triggers(cell):
        subject, event, number = parse_trigger(text)
        if event in CLIENT_EVENTS and subject == name:
            named.add(number)
    places = {number: place for place, number in enumerate(sorted(named), 1)}
    calls = max(2, len(places))
    if calls < client.calls or client.clients > 1:
        gates = {places[gate]: trigger for gate, trigger in client.gates.items()}
        fewer = client.model_copy(update={"calls": calls, "gates": gates, "clients": 1, "after_heal": 1})
        yield _of_processes(_moved(with_node(cell, name, fewer), name, places.__getitem__), 1)


def _of_processes(cell: Cell, last: int) -> Cell:
    """Its faults, of client processes up to this one."""
    return cell.model_copy(update={"faults": tuple(of_process(fault, last) for fault in cell.faults)})


def of_process(fault: Any, last: int) -> Any:
    changes: dict[str, Any] = {}
    if getattr(fault, "clients", None):
        changes["clients"] = tuple(sorted({min(process, last) for process in fault.clients}))
    if hasattr(fault, "client"):
        changes["client"] = min(fault.client, last)
    return replace(fault, **changes)


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
    return _moved(with_node(cell, name, fewer), name, moved)


def _moved(cell: Cell, name: str, moved: Callable[[int], int]) -> Cell:
    return cell.model_copy(update={"faults": tuple(moved_fault(fault, name, moved) for fault in cell.faults)})


def moved_fault(value: Any, name: str, moved: Callable[[int], int]) -> Any:
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
        elif field.name == "restart" and held:
            changes[field.name] = moved_fault(held, name, moved)
    return replace(value, **changes)


def _moved_trigger(text: str, name: str, moved: Callable[[int], int]) -> str:
    subject, event, number = parse_trigger(text)
    return f"{subject} {event} {moved(number)}" if event in CLIENT_EVENTS and subject == name else text


def _plainer_servers(cell: Cell) -> Iterator[Cell]:
    for name, server in cell.servers.items():
        if server.yields:
            yield with_node(cell, name, server.model_copy(update={"yields": 0}))


# Faults


def _smaller_fault(fault: Any) -> Iterator[Fault]:
    """One word less, or one number smaller."""
    for field in fields(fault):
        held = getattr(fault, field.name)
        if isinstance(held, tuple) and len(held) > 1:
            for one in held:
                yield replace(fault, **{field.name: tuple(other for other in held if other != one)})
        elif isinstance(held, tuple):
            yield from (replace(fault, **{field.name: (fewer,)}) for fewer in _down_to(held[0], 1))
        elif field.name == "restart" and held:
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
