"""What is tried where no single step makes a cell smaller: its faults, or others of their kind, on small systems."""

from __future__ import annotations

from dataclasses import replace
from random import Random

from history_builder import cell

from chaos.faults.fault import Fault
from chaos.faults.messages import Drop, Hold
from chaos.faults.processes import Kill, Restart
from orchestrator.explore.reshaped import PLAIN, SEEDS, SHAPES, reshaped
from orchestrator.scenario.cell import Cell, Client, Server, SocketLink

LINK = "client -> server"
CLIENT = Client(workload="add", calls=6, clients=3, outstanding=2, after_heal=2, gates={5: "server down 1"})
DROP = Drop(drop="request", link=LINK, operations=(2, 5), clients=(2, 3))
KILL = Kill(kill="server", at="received", operation=4, client=2, restart=Restart(when="client attempt 5"))


def made(*faults: Fault, client: Client = CLIENT) -> Cell:
    return cell(faults=faults).model_copy(update={"nodes": {"server": Server(service="counter"), "client": client}})


def shape(small: Cell) -> tuple[int, int]:
    client = small.clients["client"]
    return client.clients, client.calls


def test_the_smallest_systems_come_first_and_all_have_fewer_calls() -> None:
    shapes = [shape(small) for small in reshaped(made(KILL), Random(1))]
    assert tuple(dict.fromkeys(shapes)) == SHAPES
    assert sorted(SHAPES) == [(clients, calls) for clients in (1, 2) for calls in (2, 3, 4) if clients * calls <= 4]
    assert shapes == sorted(shapes, key=SHAPES.index)
    few = made(KILL, client=Client(workload="add", calls=4, after_heal=1))
    assert {shape(small) for small in reshaped(few, Random(1))} == {(1, 2), (1, 3)}


def test_its_own_faults_are_tried_wherever_they_may_meet_a_call_before_heal() -> None:
    found = [small for small in reshaped(made(DROP), Random(1)) if shape(small) == (1, 3)]
    for number in (1, 2):
        moved = (replace(DROP, operations=(number,), clients=(1,)),)
        assert {small.seed for small in found if small.faults == moved} >= set(SEEDS)
    first = replace(KILL, operation=1, client=1, restart=Restart(when="client attempt 1"))
    assert (first,) in [small.faults for small in reshaped(made(KILL), Random(1))]
    for small in found:
        client = small.clients["client"]
        assert (client.gates, client.after_heal, client.outstanding) == ({3: "server down 1"}, 1, 2)


def test_others_are_of_its_words_or_plain_and_no_more() -> None:
    big = made(KILL, Hold(hold="request", link=LINK), client=CLIENT.model_copy(update={"gates": {}}))
    found = list(reshaped(big, Random(1)))
    assert {fault.verb for small in found for fault in small.faults} == {"kill", "hold", *PLAIN}
    assert {len(small.faults) for small in found} == {1, 2}
    assert found == list(reshaped(big, Random(1)))


def test_systems_of_several_clients_are_left_as_they_are() -> None:
    big = made(KILL)
    two = big.model_copy(update={"nodes": {**big.nodes, "other": CLIENT}})
    assert list(reshaped(two, Random(1))) == []


def test_what_is_called_may_count_where_no_small_system_of_its_own_does() -> None:
    nodes = {"server": Server(service="register"), "client": CLIENT.model_copy(update={"workload": "write-read"})}
    big = made(DROP).model_copy(update={"nodes": nodes})
    found = [(small.servers["server"].service, small.clients["client"].workload) for small in reshaped(big, Random(1))]
    assert tuple(dict.fromkeys(found)) == (("register", "write-read"), ("counter", "add"))
    assert found == sorted(found, reverse=True)
    echoed = big.model_copy(update={"links": (SocketLink(source="client", target="server", protocol="lines"),)})
    assert {small.servers["server"].service for small in reshaped(echoed, Random(1))} <= {"register"}
