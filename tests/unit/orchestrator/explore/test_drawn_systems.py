"""The nodes, links and numbers of faults that are drawn, and how one cell differs from the one that it is made of."""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import Any, get_args

from nodes.rpc import codecs
from nodes.services import SERVICE_OF
from nodes.wire.transports import LINKS
from orchestrator.explore.generate import ABOUT, NAME, Ground, fresh, mutated, ours
from orchestrator.explore.theory import by_theory
from orchestrator.scenario.cell import Cell, Client, Link, Retry, Semantics

DRAWS = 150
GATES = {"server ready 2", "server down 1"}


def systems() -> list[Cell]:
    return [ours().draw(Random(number)) for number in range(DRAWS)]


def clients() -> list[Client]:
    return [cell.clients["client"] for cell in systems()]


def links() -> list[Link]:
    return [link for cell in systems() for link in cell.links]


def test_a_system_is_one_server_and_one_client_that_calls_it() -> None:
    cells = systems()
    for cell in cells:
        ((server, serving),) = cell.servers.items()
        ((client, calling),) = cell.clients.items()
        assert [(link.source, link.target) for link in cell.links] == [(client, server)]
        assert serving.service == SERVICE_OF[calling.workload]
        assert (cell.scenario, cell.about, cell.cell, cell.axes, cell.faults) == (NAME, ABOUT, "-", {}, ())
    assert len({cell.seed for cell in cells}) > DRAWS // 2
    assert {cell.servers["server"].yields for cell in cells} == {0, 3, 30, 100}


def test_it_is_small() -> None:
    calling = clients()
    assert {client.calls for client in calling} == {2, 3, 4, 5, 6}
    assert {client.clients for client in calling} == {1, 2, 3}
    assert {client.outstanding for client in calling} == {1, 2, 3, 4}
    assert {client.after_heal for client in calling} == {1}
    gates = [client.gates for client in calling]
    assert {len(some) for some in gates} == {0, 1}
    assert {number for some in gates for number in some} == {2, 3, 4}
    assert {gate for some in gates for gate in some.values()} == GATES


def test_its_clients_repeat_soon_late_or_never() -> None:
    calling = clients()
    assert {client.retry.model_copy(update={"attempts": None, "connection": "new"}) for client in calling} == {
        Retry(first=60, maximum=240),
        Retry(first=20, maximum=240),
        Retry(first=400, maximum=400),
    }
    assert {client.retry.attempts for client in calling} == {None, 1, 2, 3}
    assert {client.retry.connection for client in calling} == {"new", "same"}


def test_every_mechanism_workload_and_protocol_is_drawn() -> None:
    links_drawn = links()
    calling = clients()
    assert {client.workload for client in calling} == set(SERVICE_OF)
    assert {link.semantics for link in links_drawn} == set(get_args(Semantics))
    assert {link.transport for link in links_drawn} == set(LINKS)
    assert {link.codec for link in links_drawn} == set(codecs.NAMES)
    assert {link.variant for link in links_drawn} == {None}
    assert ours("no-join").draw(Random(1)).links[0].variant == "no-join"
    workloads = Counter(client.workload for client in calling)
    assert {workload for workload, _ in workloads.most_common(2)} == {"add", "write-read"}


class Choosing(Random):
    """Keeps what it was offered."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self.offered: list[tuple[object, ...]] = []

    def choice(self, seq: Any) -> Any:
        self.offered.append(tuple(seq))
        return super().choice(seq)


def test_what_is_small_and_usual_is_likely() -> None:
    random = Choosing(1)
    cell = ours().draw(random)
    gated = bool(cell.clients["client"].gates)
    of_client = [
        (2, 3, 3, 4, 4, 5, 6),  # calls
        (1, 1, 1, 1, 2, 2, 3),  # clients
        (1, 1, 2, 3, 4),  # outstanding
        (60, 60, 60, 20, 400),  # the first wait
        (None, None, None, None, None, 1, 2, 3),  # attempts
        ("new", "new", "new", "same"),
        ("", "", "", "server ready 2", "server down 1"),
        *[(2, 3, 4)] * gated,
    ]
    maybe, at_least, at_most, incarnation, exactly = get_args(Semantics)
    promising = (maybe, at_least, *[at_most] * 2, *[incarnation] * 2, *[exactly] * 3)
    of_link = [promising, tuple(sorted(LINKS)), codecs.NAMES]
    assert random.offered == [(*SERVICE_OF, "add", "write-read"), *of_client, *of_link, (0, 0, 0, 3, 30, 100)]


def test_one_or_two_faults_are_likelier_than_three_and_one_change_than_two() -> None:
    random = Choosing(1)
    cell = fresh(ours(), random).cell
    assert (1, 1, 2, 2, 2, 3, 3) in random.offered
    random = Choosing(1)
    mutated(ours(), cell, random)
    assert random.offered[0] == (1, 1, 2)


def test_a_fresh_cell_has_one_to_three_faults() -> None:
    assert {len(fresh(ours(), Random(number)).cell.faults) for number in range(30)} == {1, 2, 3}


def parent(faults: int) -> Cell:
    drawn = (fresh(ours(), Random(f"parent {number}")).cell for number in range(1_000))
    return next(cell for cell in drawn if len(cell.faults) == faults)


def others(cell: Cell, verbs: tuple[str, ...] | None = None) -> list[Cell]:
    ground = ours() if verbs is None else ours()._replace(verbs=verbs)
    return [mutated(ground, cell, Random(f"child {number}")).cell for number in range(120)]


def differences(one: Cell, other: Cell) -> frozenset[str]:
    parts: list[str] = [key for key in ("seed", "nodes", "links") if getattr(one, key) != getattr(other, key)]
    pairs = [(mine, its) for mine, its in zip(one.faults, other.faults, strict=False) if mine != its]
    grown = len(other.faults) - len(one.faults)
    return frozenset([*parts, *(["faults"] * bool(pairs)), *(["more"] * (grown > 0)), *(["fewer"] * (grown < 0))])


def test_a_change_is_of_one_thing_or_of_two() -> None:
    first = parent(1)
    found = Counter(differences(first, other) for other in others(first))
    assert {difference for difference in found if len(difference) == 1} == {
        frozenset({each}) for each in ("seed", "nodes", "links", "faults", "more")
    }
    assert any(len(difference) == 2 for difference in found)
    assert all(len(difference) <= 2 for difference in found)
    assert sum(number for difference, number in found.items() if len(difference) == 2) < len(others(first)) / 2
    assert found[frozenset({"faults"})] > found[frozenset({"more"})]


def test_a_changed_system_has_its_own_nodes_another_link_or_another_way_to_call() -> None:
    first = parent(1)
    changed = [cell for cell in others(first) if differences(first, cell) == {"nodes"}]
    servers = {cell.servers["server"] == first.servers["server"] for cell in changed}
    assert servers == {True, False}
    for cell in changed:
        if cell.servers == first.servers:
            assert cell.clients["client"].workload == first.clients["client"].workload


def test_three_faults_are_enough() -> None:
    full = parent(3)
    assert {len(cell.faults) for cell in others(full)} == {3}
    assert {len(cell.faults) for cell in others(parent(2))} == {2, 3}


def test_any_of_the_faults_is_replaced_and_the_others_stay_where_they_are() -> None:
    full = parent(3)
    places = set()
    for cell in others(full):
        if differences(full, cell) == {"faults"}:
            places.add(tuple(mine == its for mine, its in zip(full.faults, cell.faults, strict=True)))
    assert places >= {(False, True, True), (True, False, True), (True, True, False)}


def test_faults_are_of_the_grounds_words_and_likely_ones_are_drawn_more_often() -> None:
    assert {fault.verb for cell in others(parent(1), ("drop",)) for fault in cell.faults[1:]} == {"drop"}
    drawn = Counter(fault.verb for number in range(200) for fault in fresh(ours(), Random(number)).cell.faults)
    assert drawn["kill"] > 2 * drawn["slice"]
    assert drawn["drop"] > 2 * drawn["corrupt"]


def test_what_was_refused_is_counted() -> None:
    asked: list[Cell] = []

    def draw(random: Random) -> Cell:
        """The first two wait for what no drop brings."""
        system = ours().draw(Random(1))
        gates = {} if len(asked) > 1 else {2: "server ready 2"}
        client = Client(workload=system.clients["client"].workload, calls=4, after_heal=1, gates=gates)
        asked.append(system.model_copy(update={"nodes": {**system.nodes, "client": client}}))
        return asked[-1]

    drawn = fresh(Ground(draw, ours().vary, ("drop",)), Random(1))
    assert drawn.refused == len(asked) - 1 >= 2
    assert drawn.cell == by_theory(asked[-1].model_copy(update={"faults": drawn.cell.faults}))
