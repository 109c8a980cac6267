"""The scenarios of scenarios/mux come to the same verdicts in containers and on agents as on this machine.

A few engines take turns, and the planes that each scenario's links go through; with FAULTBED_TESTS=all more of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import islice
from pathlib import Path

import docker
import pytest
import suite
from groups import ALONE
from requirements import ALL

from nodes.engines import availability
from orchestrator.backends.attach.inventory import load
from orchestrator.backends.docker.backend import SECCOMP
from orchestrator.run.specs import planes
from orchestrator.scenario.cell import Cell
from orchestrator.scenario.plan import Plan
from orchestrator.scenario.shipped import plans

pytestmark = [ALONE, pytest.mark.timeout(900)]

ENGINES = ("epoll", "threads", "io_uring", "fork", "uvloop", "epoll_edge", "asyncio", "poll", "select")
"""One that waits for each kind of news at least."""
CONTAINERS = {SECCOMP.name: "unconfined"}
"""The engine's own profile forbids io_uring."""
ON_AGENTS = ("no-descriptors", "noisy-neighbour", "wrong-keeps-registered")


def turns(plan: Plan, first: int, wanted: Callable[[Cell], bool]) -> Iterable[Cell]:
    """One cell for each engine, each with the next of the values that other axes have; engines from `first` on."""
    by_engine: dict[str, list[Cell]] = {}
    for cell in filter(wanted, suite.applicable([plan])):
        engine = cell.servers["server"].engine
        if availability(engine) is None:
            by_engine.setdefault(engine, []).append(cell)
    preferred = [*ENGINES[first % len(ENGINES) :], *ENGINES[: first % len(ENGINES)]]
    engines = sorted(by_engine, key=lambda name: preferred.index(name) if name in preferred else len(preferred))
    for turn, engine in enumerate(engines, first):
        yield by_engine[engine][turn % len(by_engine[engine])]


def chosen(wanted: Callable[[Cell], bool]) -> list[Cell]:
    """Some of each scenario."""
    shipped = enumerate(plans(["mux"]))
    return [cell for first, plan in shipped for cell in islice(turns(plan, first, wanted), 5 if ALL else 2)]


def behind_toxiproxy(cell: Cell) -> bool:
    return "toxiproxy" in planes(cell)


@pytest.mark.usefixtures("docker_engine", "node_image")
def test_each_is_as_expected_in_containers() -> None:
    """Over direct links, among packet faults and through the relay. Those that are wrong do not spin beside others."""
    cells = chosen(lambda cell: not behind_toxiproxy(cell))
    assert {cell.scenario for cell in cells} == {plan.scenario for plan in plans(["mux"])}
    for wrong in (False, True):
        some = [cell for cell in cells if cell.scenario.startswith("wrong-") is wrong]
        assert not suite.not_met(suite.run(some, "docker", CONTAINERS))


@pytest.mark.usefixtures("node_image")
def test_each_is_as_expected_through_toxiproxy_in_containers(
    docker_engine: docker.DockerClient, toxiproxy_image: str
) -> None:
    cells = chosen(behind_toxiproxy)
    assert cells
    assert not suite.not_met(suite.run(cells, "docker", {**CONTAINERS, "toxiproxy_image": toxiproxy_image}))


def test_each_is_as_expected_on_agents(inventory: Path) -> None:
    """But for packet faults, for which agents have no network namespaces to give."""
    cells = [cell for cell in chosen(lambda cell: "packet" not in planes(cell)) if ALL or cell.scenario in ON_AGENTS]
    assert {cell.scenario for cell in cells} >= set(ON_AGENTS)
    assert not suite.not_met(suite.run(cells, "attach", {"inventory": load(inventory)}))
