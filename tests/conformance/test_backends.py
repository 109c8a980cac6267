"""One contract over every backend that the registry finds: it refuses before anything starts, a run yields evidence,
and nothing of it is left. A cell's run is a value that another process performs."""

from __future__ import annotations

import pickle
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

import docker
import psutil
import pytest
from agents import inventory, running_agents, token_file
from groups import ALONE
from running import until
from shop import DRIVE, SERVICE

from orchestrator import backends as registry
from orchestrator.backends import backends, choices, named
from orchestrator.backends.attach.inventory import load as load_inventory
from orchestrator.backends.backend import Options
from orchestrator.backends.docker.leftovers import things
from orchestrator.backends.leftovers import orchestrator_id
from orchestrator.report.result import CellResult, Exit
from orchestrator.scenario.cell import Cell
from orchestrator.scenario.plan import expand, load
from orchestrator.scenario.shipped import find
from orchestrator.sweep.cells import CellRun, perform
from orchestrator.sweep.store import HISTORY, read_history

ENGINES = ("docker", "compose")
NAMES = tuple(one.name for one in backends())
HEAVY = {"docker", "psutil", "requests", "rich", "orchestrator.run.conductor"}
GOOD = load(find("rpc/02-reply-lost")[0]).cells[1]
WITH = """
scenario: one
nodes:
  server: {{service: counter{server}}}
  client: {{workload: add, calls: 4}}
links:
  - {{from: client, to: server, semantics: exactly-once}}
expect:
  others: {{client: ok, executions: 1}}
"""
SYSTEM = """
scenario: system
system: {compose: docker-compose.yml}
links: [{from: driver, to: "shop:8080", framer: http1}]
driver: {exec: ./drive.py, calls: 4, timeout: 20s}
oracle: {http: "shop:8080/effects"}
faults: [{drop: reply, link: "driver -> shop:8080", operations: [2]}]
expect: {bitten: {client: ok, executions: 2}, others: {client: ok, executions: 1}}
"""
PROJECT = """
services:
  shop:
    image: IMAGE
    command: [sh, -c, "python3 /service.py migrate && exec python3 -u /service.py"]
    entrypoint: []
    volumes: [./service.py:/service.py:ro]
"""
LIMITED = expand(WITH.format(server=", limits: {cpus: 1}"), "limited.yaml").cells[0]
PLACED = expand(WITH.format(server=", place: {os: linux}"), "placed.yaml").cells[0]
WITHOUT_PROJECT = expand(SYSTEM, "system.yaml").cells[0]
IMPOSSIBLE = {"local": LIMITED, "sim": LIMITED, "docker": PLACED, "attach": LIMITED, "compose": WITHOUT_PROJECT}
"""A cell that a backend refuses."""

each = pytest.mark.parametrize("name", NAMES)
each_that_runs = pytest.mark.parametrize(
    "ordinary", [pytest.param(name, marks=[ALONE] if name in ENGINES else []) for name in NAMES], indirect=True
)


class Ordinary(NamedTuple):
    """A backend, a cell that it runs, and what it has to be told."""

    backend: str
    cell: Cell
    options: Options


@pytest.fixture
def ordinary(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Ordinary]:
    name: str = request.param
    with ExitStack() as used:
        options: Options = {}
        cell = GOOD
        if name == "attach":
            agents = used.enter_context(running_agents(tmp_path, ()))
            file = inventory(tmp_path, token_file(tmp_path), one=agents[0].address)
            options = {"inventory": load_inventory(file)}
        if name in ENGINES:
            engine: docker.DockerClient = request.getfixturevalue("docker_engine")
            image: str = request.getfixturevalue("node_image")
            cell = shop(tmp_path, image) if name == "compose" else GOOD
        yield Ordinary(name, cell, options)
        if name in ENGINES:
            assert [one for one in things(engine) if one.owner.orchestrator == orchestrator_id()] == []


def shop(folder: Path, image: str) -> Cell:
    """A cell of a compose project with one service."""
    (folder / "docker-compose.yml").write_text(PROJECT.replace("IMAGE", image))
    (folder / "service.py").write_text(SERVICE.replace("/data", "/tmp"))
    (folder / "system.yaml").write_text(SYSTEM)
    shutil.copy(DRIVE, folder)
    return load(folder / "system.yaml").cells[0]


def test_each_is_told_at_a_place_of_its_own_by_its_folders_name() -> None:
    assert [named(name).name for name in NAMES] == list(NAMES)
    assert len({one.place for one in backends()}) == len(NAMES)
    assert [one.name for one in choices()] == ["local", "sim", "docker", "attach"]


def test_knowing_them_costs_nothing() -> None:
    code = "import sys; from orchestrator.backends import backends; backends(); print(*sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not HEAVY.intersection(ran.stdout.split())


@each
def test_what_it_refuses_it_refuses_before_anything_starts(name: str) -> None:
    before = ours()
    found = list(named(name).problems(IMPOSSIBLE[name]))
    assert found
    assert all(problem.path and problem.message for problem in found)
    assert ours() == before


@each_that_runs
def test_a_run_yields_evidence_and_leaves_nothing(ordinary: Ordinary, tmp_path: Path) -> None:
    name, cell, options = ordinary
    assert list(named(name).problems(cell)) == []
    before = ours()
    run = CellRun(cell, 1, name, options, tmp_path / "run")
    assert pickle.loads(pickle.dumps(run)) == run
    result = perform(run)
    assert result.exit_code is Exit.MET, result
    assert read_history(tmp_path / "run" / HISTORY).events
    until(lambda: ours() == before, "nothing of the run is left")


ELSEWHERE = """
import multiprocessing, pickle, sys
from orchestrator.sweep.cells import perform
with multiprocessing.get_context("spawn").Pool(1) as pool:
    result = pool.apply(perform, [pickle.load(sys.stdin.buffer)])
sys.stdout.buffer.write(pickle.dumps(result))
"""
"""In a process of its own, with which multiprocessing's own helper ends too."""


@pytest.mark.parametrize("name", ["sim", "local"])
def test_another_process_performs_it_and_comes_to_the_same(name: str, tmp_path: Path) -> None:
    before = ours()
    here, elsewhere = (CellRun(GOOD, 2, name, {}, tmp_path / folder) for folder in ("here", "elsewhere"))
    done = subprocess.run([sys.executable, "-c", ELSEWHERE], input=pickle.dumps(elsewhere), capture_output=True)
    assert done.returncode == 0, done.stderr.decode()
    found: CellResult = pickle.loads(done.stdout)
    assert said(found) == said(perform(here))
    assert (found.directory, found.repeat) == (tmp_path / "elsewhere", 2)
    assert read_history(tmp_path / "elsewhere" / HISTORY).events
    until(lambda: ours() == before, "nothing of the run is left")


ANOTHER = """
from orchestrator.backends.sim.backend import BACKEND as SIM
BACKEND = SIM._replace(name="another", place=9, about="another world")
"""


def test_another_is_one_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "another").mkdir()
    (tmp_path / "another/backend.py").write_text(ANOTHER)
    monkeypatch.setattr(registry, "__path__", [*registry.__path__, str(tmp_path)])
    backends.cache_clear()
    try:
        assert [one.name for one in backends()] == [*NAMES, "another"]
        assert perform(CellRun(GOOD, 1, "another", {}, tmp_path / "run")).exit_code is Exit.MET
    finally:
        backends.cache_clear()


def said(result: CellResult) -> Any:
    """What was judged, without what time decides on a machine."""
    assert result.judgement is not None, result.error
    return result.exit_code, result.judgement.properties, result.judgement.expectations, result.judgement.outcomes


def ours() -> set[int]:
    """The processes that this one has started."""
    return {child.pid for child in psutil.Process().children(recursive=True)}
