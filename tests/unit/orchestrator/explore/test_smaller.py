"""What is smaller than a cell in one respect: each client's numbers, each fault's, and what names what moved."""

from __future__ import annotations

from dataclasses import replace

import pytest
from history_builder import cell

from chaos.faults.fault import Fault
from chaos.faults.messages import Delay, Drop, Hold
from chaos.faults.processes import Kill, Pause, Restart
from orchestrator.explore.smaller import candidates
from orchestrator.scenario.cell import Cell, Client, Retry, Server

LINK = "client -> server"
GATES = {3: "server ready 2", 6: "server down 1"}
CLIENT = Client(workload="add", calls=6, clients=3, outstanding=4, after_heal=2, gates=GATES, retry=Retry(attempts=3))
DROP = Drop(drop="request", link=LINK, operations=(2, 5), clients=(2, 3))
KILL = Kill(
    kill="server",
    at="received",
    operation=4,
    client=2,
    restart=Restart(after=20, when="client attempt 5", state="archive"),
)
BY_TRIGGER = Hold(hold="request", link=LINK, operations=(4,), until="client ok 5")


def made(*faults: Fault, client: Client = CLIENT, yields: int = 30) -> Cell:
    nodes = {"server": Server(service="counter", yields=yields), "client": client}
    return cell(faults=faults).model_copy(update={"nodes": nodes})


def clients(big: Cell) -> list[Client]:
    return [small.clients["client"] for small in candidates(big)]


def faults(*own: Fault) -> list[tuple[Fault, ...]]:
    """Those that the smaller ones have, in nodes that are as small as can be."""
    least = Client(workload="add", calls=2, after_heal=1)
    return [small.faults for small in candidates(made(*own, client=least, yields=0))]


def test_a_client_calls_less_by_fewer_with_less_outstanding_and_nothing_to_wait_for() -> None:
    found = clients(made(DROP))
    for key, wanted in (("calls", {2, 3, 4, 5}), ("clients", {1, 2}), ("outstanding", {1, 2, 3}), ("after_heal", {1})):
        others = {getattr(each, key) for each in found} - {getattr(CLIENT, key)}
        assert others == wanted, key
    assert CLIENT.model_copy(update={"retry": Retry()}) in found
    for gate in GATES:
        assert CLIENT.model_copy(update={"gates": {key: GATES[key] for key in GATES if key != gate}}) in found
    assert made(DROP) not in list(candidates(made(DROP)))


def test_of_so_many_calls_those_behind_are_left_out_with_their_gates() -> None:
    found = {small.clients["client"].calls: small for small in candidates(made(DROP, KILL)) if small.faults[1:]}
    for calls, gates, operations, operation, trigger in (
        (2, {}, (1,), 1, "client attempt 1"),
        (3, {3: "server ready 2"}, (2,), 2, "client attempt 2"),
    ):
        small = found[calls]
        drop, kill = small.faults
        assert small.clients["client"] == CLIENT.model_copy(update={"calls": calls, "gates": gates})
        assert drop == replace(DROP, operations=operations)
        assert kill == replace(KILL, operation=operation, restart=replace(KILL.restart or Restart(), when=trigger))


@pytest.mark.parametrize(
    ("call", "gates", "drop", "kill", "trigger"),
    [
        (1, {2: GATES[3], 5: GATES[6]}, (1, 4), 3, "client attempt 4"),
        (2, {2: GATES[3], 5: GATES[6]}, (2, 4), 3, "client attempt 4"),
        (3, {5: GATES[6]}, (2, 4), 3, "client attempt 4"),
        (4, {3: GATES[3], 5: GATES[6]}, (2, 4), 4, "client attempt 4"),
        (5, {3: GATES[3], 5: GATES[6]}, (2, 5), 4, "client attempt 5"),
    ],
)
def test_without_a_call_those_behind_it_move_up(
    call: int, gates: dict[int, str], drop: tuple[int, ...], kill: int, trigger: str
) -> None:
    moved = (
        replace(DROP, operations=drop),
        replace(KILL, operation=kill, restart=replace(KILL.restart or Restart(), when=trigger)),
        replace(BY_TRIGGER, operations=(3 if call < 4 else 4,), until=trigger.replace("attempt", "ok")),
    )
    wanted = made(*moved, client=CLIENT.model_copy(update={"calls": 5, "gates": gates}))
    assert wanted in list(candidates(made(DROP, KILL, BY_TRIGGER)))


def test_one_process_makes_no_calls_but_those_that_are_named() -> None:
    big = made(DROP, replace(KILL, operation=3), client=CLIENT.model_copy(update={"calls": 9}))
    small = next(each for each in candidates(big) if each.clients["client"].clients == 1)
    gates = {2: GATES[3], 4: GATES[6]}
    alone = CLIENT.model_copy(update={"calls": 5, "clients": 1, "after_heal": 1, "gates": gates})
    restart = replace(KILL.restart or Restart(), when="client attempt 3")
    kill = replace(KILL, operation=2, client=1, restart=restart)
    assert small == made(replace(DROP, operations=(1, 3), clients=(1,)), kill, client=alone)


def alone(big: Cell) -> Cell:
    """The first that has so few calls of one process."""
    small = next(candidates(big))
    assert small.clients["client"].clients == 1
    return small


@pytest.mark.parametrize(
    ("until", "calls", "moved"),
    [
        ("client ok 2", 4, "client ok 1"),
        ("client end 7", 5, "client end 4"),
        ("server ready 7", 4, "server ready 7"),
        ("client ready 5", 4, "client ready 5"),
        ("other ok 5", 4, "other ok 5"),
    ],
)
def test_a_trigger_names_a_call_of_its_client(until: str, calls: int, moved: str) -> None:
    """Beside 3 and 6 with gates, 2 of the fault, and the last."""
    held = replace(BY_TRIGGER, operations=(2,), until=until)
    small = alone(made(held, client=CLIENT.model_copy(update={"calls": 9})))
    assert small.clients["client"].calls == calls
    assert small.faults == (replace(BY_TRIGGER, operations=(1,), until=moved),)


@pytest.mark.parametrize(("calls", "processes", "least"), [(5, 1, 2), (2, 2, 2), (2, 3, 2), (5, 2, 2), (3, 1, 2)])
def test_alone_are_fewer_processes_or_fewer_calls(calls: int, processes: int, least: int) -> None:
    client = CLIENT.model_copy(update={"calls": calls, "clients": processes, "gates": {}})
    small = alone(made(client=client)).clients["client"]
    assert (small.calls, small.after_heal) == (least, 1)


def test_another_clients_operations_stay() -> None:
    foreign = replace(BY_TRIGGER, until="other ok 5")
    for small in candidates(made(foreign)):
        (fault,) = small.faults
        assert getattr(fault, "until", None) in ("other ok 5", None)


def test_a_server_does_not_yield() -> None:
    assert made(DROP, yields=0) in list(candidates(made(DROP)))
    assert all(small.servers["server"].yields == 0 for small in candidates(made(DROP, yields=0)))


def test_a_fault_less() -> None:
    assert faults(DROP, KILL)[:2] == [(KILL,), (DROP,)]
    assert all(len(found) == 1 for found in faults(DROP))


@pytest.mark.parametrize(
    ("fault", "smaller"),
    [
        (
            Drop(drop="request", link=LINK, operations=(1, 3), attempt=4),
            [{"operations": (3,)}, {"operations": (1,)}, *({"attempt": number} for number in (1, 1, 2, 3))],
        ),
        (Drop(drop="reply", link=LINK, operations=(4,)), [{"operations": (number,)} for number in (1, 2, 3)]),
        (Drop(drop="reply", link=LINK, operations=(1,), attempt="all"), [{"attempt": 1}]),
        (Drop(drop="reply", link=LINK), [{"operations": (1,)}, {"operations": (2,)}]),
        (
            Drop(drop="reply", link=LINK, every=2),
            [{"every": 1}, {"every": None, "operations": (1,)}, {"every": None, "operations": (2,)}],
        ),
        (
            Drop(drop="reply", link=LINK, probability=0.5),
            [{"probability": None, "operations": (1,)}, {"probability": None, "operations": (2,)}],
        ),
        (
            Delay(delay="reply", link=LINK, operations=(1,), by=5, jitter=2),
            [*({"by": number} for number in (1, 2, 4)), {"jitter": 0}, {"jitter": 1}],
        ),
        (Hold(hold="reply", link=LINK, operations=(1,), until="server ready 2"), [{"until": None}]),
        (
            Pause(pause="server", after=3, lasts=5),
            [{"after": None}, {"after": 1}, {"after": 2}, {"lasts": None}, *({"lasts": by} for by in (1, 2, 4))],
        ),
        (Pause(pause="server", when="client ok 1"), [{"when": None}]),
        (
            Kill(kill="server", at="received", nth=3, epoch=2),
            [{"epoch": 1}, {"epoch": 1}, {"nth": 1}, {"nth": 2}],
        ),
        (
            Kill(kill="server", after=1, restart=Restart(after=9, when="client ok 1", state="archive")),
            [
                {"after": None},
                {"restart": Restart(after=9, when="client ok 1")},
                {"restart": Restart(after=9, state="archive")},
                {"restart": Restart(when="client ok 1", state="archive")},
            ],
        ),
        (Kill(kill="server", after=1, restart=Restart()), [{"after": None}]),
    ],
)
def test_a_smaller_fault(fault: Fault, smaller: list[dict[str, object]]) -> None:
    found = [one for (one,) in faults(fault)]
    assert sorted(map(repr, found)) == sorted(repr(replace(fault, **changes)) for changes in smaller)  # type: ignore[arg-type]
