"""The verdicts of RPC call semantics do not hang on who performs the programs: the same cells on every engine.

With FAULTBED_TESTS=all every cell of the demo runs on each, and the whole table on one that waits for readiness (the
default, test_rpc_table.py), one that is told of completion, and on threads; and each engine is in containers once.
Else the demo's cells take turns with them.
"""

from __future__ import annotations

import docker
import pytest
import suite
from requirements import ALL

from nodes.engines import NAMES, availability, offer
from orchestrator.backends.docker.backend import SECCOMP
from orchestrator.scenario.cell import Cell
from orchestrator.scenario.shipped import plans

pytestmark = pytest.mark.timeout(600)

ONE_MEMORY = tuple(name for name in NAMES if offer(name).shared)
"""Those whose servers can keep a state and a history of calls."""


OF_SOCKETS = ("split-and-joined", "datagram-repeated")


def told_apart(cell: Cell, engine: str) -> Cell:
    """On that engine, as if it were one cell of a matrix of engines."""
    axes = {"cell": f"engine={engine}", "axes": {"engine": engine}}
    return suite.unhurried(cell.on_engine(engine).model_copy(update=axes))


def on(engine: str, scenario: str) -> list[Cell]:
    need(engine)
    return [cell.on_engine(engine) for cell in suite.applicable(plans([scenario]))]


def need(engine: str) -> None:
    if (reason := availability(engine)) is not None:
        pytest.skip(f"engine {engine}: {reason}")


def test_the_demo_is_met_whoever_performs_its_cells() -> None:
    here = [name for name in ONE_MEMORY if availability(name) is None]
    cells = suite.applicable(plans(["rpc/demo"]))
    taken = [cell.on_engine(here[turn % len(here)]) for turn, cell in enumerate(cells)]
    assert {cell.servers["server"].engine for cell in taken} == set(here)
    assert not suite.not_met(suite.run(taken, "local"))


@pytest.mark.skipif(not ALL, reason="FAULTBED_TESTS=all: every cell on every engine")
@pytest.mark.parametrize("engine", ONE_MEMORY)
def test_the_demo_is_met_on(engine: str) -> None:
    assert not suite.not_met(suite.run(on(engine, "rpc/demo"), "local"))


def test_messages_on_sockets_are_judged_alike_whoever_performs_their_programs() -> None:
    here = [name for name in NAMES if availability(name) is None]
    cells = suite.applicable(plans(["sockets"]))
    taken = [cell.on_engine(here[turn % len(here)]) for turn, cell in enumerate(cells)]
    assert not suite.not_met(suite.run(taken, "local"))


@pytest.mark.skipif(not ALL, reason="FAULTBED_TESTS=all: every cell on every engine")
@pytest.mark.parametrize("engine", NAMES)
def test_sockets_are_met_on(engine: str) -> None:
    assert not suite.not_met(suite.run(on(engine, "sockets"), "local"))


@pytest.mark.skipif(not ALL, reason="FAULTBED_TESTS=all: every cell on every engine")
@pytest.mark.parametrize("engine", ["io_uring", "threads"])
def test_the_table_is_met_on(engine: str) -> None:
    assert not suite.not_met(suite.run(on(engine, "rpc"), "local"))


@pytest.mark.skipif(not ALL, reason="FAULTBED_TESTS=all: every cell on every engine")
def test_sockets_are_met_on_every_engine_in_containers(docker_engine: docker.DockerClient, node_image: str) -> None:
    """A stream's server on each, and one of datagrams on those that have them."""
    here = [name for name in NAMES if availability(name) is None]
    stream, datagrams = (suite.applicable(plans([f"sockets/{name}"]))[0] for name in OF_SOCKETS)
    taken = [told_apart(stream, name) for name in here]
    taken += [told_apart(datagrams, name) for name in here if "udp" in offer(name).transports]
    assert {"udp", "tcp"} == {cell.links[0].transport for cell in taken}
    assert not suite.not_met(suite.run(taken, "docker", {SECCOMP.name: "unconfined"}))


@pytest.mark.skipif(not ALL, reason="FAULTBED_TESTS=all: every cell on every engine")
def test_every_engine_is_met_in_containers(docker_engine: docker.DockerClient, node_image: str) -> None:
    here = {name for name in ONE_MEMORY if availability(name) is None}
    cells = suite.applicable(plans(["engines/reply-lost"]))
    taken = [
        suite.unhurried(cell) for cell in cells if cell.axes["connection"] == "new" and cell.axes["engine"] in here
    ]
    assert {cell.servers["server"].engine for cell in taken} == here
    assert not suite.not_met(suite.run(taken, "docker", {SECCOMP.name: "unconfined"}))


@pytest.mark.skipif(not ALL, reason="FAULTBED_TESTS=all: every cell on every engine")
@pytest.mark.parametrize("scenario", ["engines/workers", "engines/forked"])
def test_several_loops_and_processes_are_one_node_in_containers(
    scenario: str, docker_engine: docker.DockerClient, node_image: str
) -> None:
    assert not suite.not_met(
        suite.run([suite.unhurried(cell) for cell in suite.applicable(plans([scenario]))], "docker")
    )
