"""PURE: what a cell's types cannot say: whether its parts fit one another. Each problem has its place in the file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from chaos.faults import (
    Corrupt,
    Cut,
    Delay,
    Drop,
    Duplicate,
    Fault,
    Hold,
    Kill,
    MessageFault,
    Partition,
    Pause,
    ProcessFault,
    Rate,
    Reorder,
    Truncate,
)
from nodes.engines import NAMES as ENGINES
from orchestrator.scenario import Cell, Client
from orchestrator.triggers import CLIENT_EVENTS, FAULT_EVENTS, SERVER_EVENTS, TriggerEvent, parse_trigger

WORKLOADS = {"echo": "echo", "add": "counter", "write": "register"}
"""Each workload and the service that it calls."""
WITHOUT_EFFECT = frozenset({"echo"})
RESERVED = frozenset({"relay", "orchestrator"})
"""Names of the testbed's own processes, whose journals lie beside the nodes'."""

RELAY_FAULTS = (Drop, Duplicate, Reorder, Hold, Delay, Corrupt, Truncate, Cut, Partition, Rate)

CLIENT_TARGETS = {
    "kill": "one that dies forgets its calls: it keeps no log of what was wanted",
    "pause": "one that is stopped looks late with nothing done to its messages",
}
"""Why a client is not a process fault's target."""

Path = tuple[str | int, ...]


class Problem(NamedTuple):
    """`path` leads into the document; its end may be a key that is not there."""

    path: Path
    message: str


def problems(cell: Cell) -> Iterator[Problem]:
    """Every reason why this cell cannot be run as it is written, the first one first."""
    yield from _nodes(cell)
    yield from _links(cell)
    for index, fault in enumerate(cell.faults):
        yield from _fault(cell, fault, ("faults", index))
    for name, client in cell.clients.items():
        yield from _gates(cell, name, client)
    yield from _expect(cell)


def _nodes(cell: Cell) -> Iterator[Problem]:
    if not cell.servers:
        yield Problem(("nodes",), "no server; expected a node with a service")
    if not cell.clients:
        yield Problem(("nodes",), "no client; expected a node with a workload")
    for name, node in (cell.servers | cell.clients).items():
        if name in RESERVED:
            yield Problem(("nodes", name), f"{name!r} is the name of one of the testbed's own processes")
        if node.engine not in ENGINES:
            expected = ", ".join(ENGINES)
            yield Problem(("nodes", name, "engine"), f"no engine {node.engine!r}; expected one of {expected}")
    for name, client in cell.clients.items():
        if client.after_heal > client.calls:
            message = f"{client.after_heal} calls after heal of {client.calls} calls in all"
            yield Problem(("nodes", name, "after_heal"), message)


def _links(cell: Cell) -> Iterator[Problem]:
    for index, link in enumerate(cell.links):
        path = ("links", index)
        if link.source not in cell.clients:
            yield Problem((*path, "from"), f"no client {link.source!r}; expected one of {_names(cell.clients)}")
        elif link.target not in cell.servers:
            yield Problem((*path, "to"), f"no server {link.target!r}; expected one of {_names(cell.servers)}")
        else:
            workload, service = cell.clients[link.source].workload, cell.servers[link.target].service
            if WORKLOADS[workload] != service:
                expected = f"{workload} calls a {WORKLOADS[workload]}"
                yield Problem(path, f"workload {workload} over a link to a service {service}; {expected}")
    for name in cell.clients:
        count = sum(link.source == name for link in cell.links)
        if count != 1:
            yield Problem(("links",), f"client {name!r} has {count} links; expected exactly one")


def _fault(cell: Cell, fault: Fault, path: Path) -> Iterator[Problem]:
    yield from _window(cell, fault, path)
    if isinstance(fault, (Kill, Pause)):
        yield from _process_fault(cell, fault, path)
        return
    names = [link.name for link in cell.links]
    if fault.link not in names:
        yield Problem((*path, "link"), f"no link {fault.link!r}; expected one of {_names(names)}")
        return
    if isinstance(fault, MessageFault):
        yield from _message_fault(cell, fault, path)
    if isinstance(fault, Rate) and fault.bytes_per_second < 1:
        yield Problem((*path, "bytes_per_second"), "expected at least 1 byte a second")


def _window(cell: Cell, fault: Fault, path: Path) -> Iterator[Problem]:
    if fault.name is not None:
        names = [other.name for other in cell.faults]
        if names.count(fault.name) > 1:
            yield Problem((*path, "name"), f"two faults are called {fault.name!r}")
    if fault.when is not None:
        yield from _trigger(cell, fault.when, (*path, "when"))
    for key in ("after", "lasts"):
        if (getattr(fault, key) or 0) < 0:
            yield Problem((*path, key), "expected a duration that is not negative")


def _message_fault(cell: Cell, fault: MessageFault, path: Path) -> Iterator[Problem]:
    link = next(link for link in cell.links if link.name == fault.link)
    client = cell.clients[link.source]
    yield from _choice(client, fault, path)
    if fault.attempt != "all" and fault.attempt < 1:
        yield Problem((*path, "attempt"), "attempts count from 1; expected one of them, or all")
    if isinstance(fault, Cut) and link.transport == "udp":
        message = f"{fault.link} is udp, which has no connection to cut; expected transport: tcp"
        yield Problem((*path, "cut"), message)
    if isinstance(fault, Duplicate):
        yield from _copy(cell, fault, link.target, path)
    if isinstance(fault, Hold) and fault.until is not None:
        yield from _trigger(cell, fault.until, (*path, "until"))
    if isinstance(fault, Delay) and (fault.by < 1 or fault.jitter < 0):
        yield Problem((*path, "by"), "expected a delay of at least 1 ms, and a jitter that is not negative")


def _choice(client: Client, fault: MessageFault, path: Path) -> Iterator[Problem]:
    chosen = [key for key in ("operations", "every", "probability") if getattr(fault, key) is not None]
    if len(chosen) > 1:
        yield Problem((*path, chosen[1]), f"both {chosen[0]} and {chosen[1]}; expected one of them")
    if fault.operations is not None:
        yield from _operations(client, fault.operations, (*path, "operations"))
    if fault.every is not None and fault.every < 1:
        yield Problem((*path, "every"), "expected 1 or more")
    if fault.probability is not None and not 0 < fault.probability <= 1:
        yield Problem((*path, "probability"), "expected more than 0 and at most 1")
    for ordinal in fault.clients or ():
        if not 1 <= ordinal <= client.clients:
            message = f"client process {ordinal} of {client.clients}; they count from 1"
            yield Problem((*path, "clients"), message)


def _operations(client: Client, operations: Iterable[int], path: Path) -> Iterator[Problem]:
    last = client.calls - client.after_heal
    if not operations:
        yield Problem(path, "an empty list; expected the operations that the fault is to hit")
    for operation in operations:
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


def _process_fault(cell: Cell, fault: Kill | Pause, path: Path) -> Iterator[Problem]:
    verb, target = ("kill", fault.kill) if isinstance(fault, Kill) else ("pause", fault.pause)
    if target in cell.clients:
        message = f"{target!r} is a client, and {CLIENT_TARGETS[verb]}; {verb} takes a server: {_names(cell.servers)}"
        yield Problem((*path, verb), message)
        return
    if target not in cell.servers:
        yield Problem((*path, verb), f"no server {target!r}; expected one of {_names(cell.servers)}")
        return
    if isinstance(fault, Kill):
        yield from _kill(cell, fault, path)
    elif fault.at is not None:
        yield Problem((*path, "at"), "a failpoint can only kill; expected when or after")
    if fault.at is None and fault.when is None and fault.after is None:
        yield Problem(path, f"nothing says when to {verb}; expected at, when or after")
    if fault.at is None and (fault.operation is not None or fault.nth is not None):
        yield Problem(path, "an operation or an nth without a failpoint; expected at")


def _kill(cell: Cell, fault: Kill, path: Path) -> Iterator[Problem]:
    if fault.lasts is not None:
        yield Problem((*path, "lasts"), "a kill does not last; expected restart: {after: ...}")
    if fault.at is not None and (fault.when is not None or fault.after is not None):
        yield Problem((*path, "at"), "a failpoint and a time; expected at alone, or when and after")
    if fault.at is not None and (fault.operation is None) == (fault.nth is None):
        yield Problem((*path, "at"), "expected either the operation or the nth passage to die at")
    if fault.operation is not None:
        yield from _killed_operation(cell, fault, path)
    if fault.restart is not None and fault.restart.when is not None:
        yield from _trigger(cell, fault.restart.when, (*path, "restart", "when"))
    if fault.restart is not None and fault.restart.after < 0:
        yield Problem((*path, "restart", "after"), "expected a duration that is not negative")


def _killed_operation(cell: Cell, fault: ProcessFault, path: Path) -> Iterator[Problem]:
    assert isinstance(fault, Kill)
    assert fault.operation is not None
    callers = [cell.clients[link.source] for link in cell.links if link.target == fault.kill]
    if not callers:
        yield Problem((*path, "operation"), f"nobody calls {fault.kill!r}")
        return
    yield from _operations(callers[0], (fault.operation,), (*path, "operation"))
    if not 1 <= fault.client <= callers[0].clients:
        yield Problem((*path, "client"), f"client process {fault.client} of {callers[0].clients}")
    for key in ("attempt", "epoch"):
        if getattr(fault, key) < 1:
            yield Problem((*path, key), "counts from 1")


def _trigger(cell: Cell, text: str, path: Path) -> Iterator[Problem]:
    try:
        subject, event, number = parse_trigger(text)
    except ValueError as error:
        yield Problem(path, str(error))
        return
    if event in SERVER_EVENTS and subject not in cell.servers:
        yield Problem(path, f"{text!r}: no server {subject!r}; expected one of {_names(cell.servers)}")
    elif event in CLIENT_EVENTS and subject not in cell.clients:
        yield Problem(path, f"{text!r}: no client {subject!r}; expected one of {_names(cell.clients)}")
    elif event in CLIENT_EVENTS and number > cell.clients[subject].calls:
        yield Problem(path, f"{text!r}: {subject!r} makes {cell.clients[subject].calls} calls")
    elif event is TriggerEvent.GATE and number not in cell.clients[subject].gates:
        yield Problem(path, f"{text!r}: {subject!r} has no gate {number}; expected one in its gates")
    elif event in FAULT_EVENTS and subject not in [fault.name for fault in cell.faults]:
        yield Problem(path, f"{text!r}: no fault has the name {subject!r}")


def _gates(cell: Cell, name: str, client: Client) -> Iterator[Problem]:
    for operation, trigger in client.gates.items():
        path = ("nodes", name, "gates", str(operation))
        if not 1 <= operation <= client.calls:
            yield Problem(path, f"a gate before operation {operation} of {client.calls} calls; they count from 1")
        yield from _trigger(cell, trigger, path)


def _expect(cell: Cell) -> Iterator[Problem]:
    expect = cell.expect
    if expect.bitten is None and expect.others is None and not expect.seen and expect.delivery is None:
        yield Problem(("expect",), "expects nothing; expected at least one of bitten, others, seen, delivery")
    if not cell.faults:
        if expect.bitten is not None:
            yield Problem(("expect", "bitten"), "no fault can bite; expected a fault, or bitten left out")
        if expect.seen:
            yield Problem(("expect", "seen"), "nothing is bitten without a fault; expected a fault, or seen left out")
    if expect.convicted_by and not any(link.variant for link in cell.links):
        message = "only a broken mechanism is to be convicted; expected a link with a variant"
        yield Problem(("expect", "convicted_by"), message)
    if expect.delivery is not None:
        yield from _delivery(cell)


def _delivery(cell: Cell) -> Iterator[Problem]:
    delivery, path = cell.expect.delivery, ("expect", "delivery")
    assert delivery is not None
    if (delivery.holds is None) == (delivery.violated is None):
        yield Problem(path, "expected exactly one of holds and violated")
    if not delivery.under:
        yield Problem((*path, "under"), "a level is stated with its failure model; expected at least one")
    if delivery.witness is not None and delivery.violated is None:
        yield Problem((*path, "witness"), "only a violation has a witness")
    if delivery.violated is not None and not cell.faults:
        yield Problem((*path, "violated"), "a violation's witness is bitten, so expected a fault")
    services = {cell.servers[link.target].service for link in cell.links if link.target in cell.servers}
    if services <= WITHOUT_EFFECT:
        yield Problem(path, f"service {_names(services)} has no effect to count; expected a counter or a register")


def _names(names: Iterable[str]) -> str:
    return ", ".join(sorted(names)) or "none"
