"""The shipped order service, a compose project that is not ours: its verdicts, its failures, and no residue."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import docker
import pytest
from requirements import need
from running import Running, until

from orchestrator.backends.docker.leftovers import Thing, things
from orchestrator.checkers.expect import judge
from orchestrator.checkers.verdict import Met
from orchestrator.scenario.cell import Cell, Delivery
from orchestrator.sweep.store import HISTORY, read_history

EXAMPLE = Path(__file__).parents[2] / "examples/orders"
REDIS = "faultbed-example-redis"
SLOWEST = 150
"""Seconds for a command; several minutes pass only where something waits for ever."""


@pytest.fixture(scope="module")
def redis_image(docker_engine: docker.DockerClient) -> str:
    """Redis, as the example's own script makes it where no registry is reachable; kept for the next time."""
    if not docker_engine.api.images(REDIS):
        need("mmdebstrap", "docker")
        subprocess.run([EXAMPLE / "redis-image.sh", REDIS], check=True, capture_output=True, timeout=SLOWEST)
    return REDIS


@pytest.fixture
def orders(tmp_path: Path, node_image: str, redis_image: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the example, with images that are here."""
    monkeypatch.setenv("PYTHON_IMAGE", node_image)
    monkeypatch.setenv("REDIS_IMAGE", redis_image)
    return Path(shutil.copytree(EXAMPLE, tmp_path / "orders"))


def left_by(engine: docker.DockerClient, orchestrator: int) -> list[Thing]:
    """What the engine has of the runs of one command, by its process id."""
    return [thing for thing in things(engine) if thing.owner.orchestrator.startswith(f"{orchestrator}:")]


def faultbed(folder: Path, *arguments: str) -> tuple[int, str]:
    """-> (exit code, everything that it said); nothing of it is in the engine afterwards."""
    with Running(folder, *arguments) as command, closing(docker.from_env()) as engine:
        out, err = command.process.communicate(timeout=SLOWEST)
        assert not left_by(engine, command.process.pid)
        return command.process.returncode, out + err


def cells(folder: Path, scenario: str) -> dict[str, Any]:
    summary = json.loads((folder / "results" / scenario / "latest/summary.json").read_text())
    return {cell["cell"]: cell for cell in summary["cells"]}


def change(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new, 1))


def test_the_examples_verdicts(orders: Path, toxiproxy_image: str) -> None:
    file = (orders / "docker-compose.yml").read_bytes()
    scenarios = ("reply-lost.yaml", "crash.yaml", "slow-answers.yaml")
    code, said = faultbed(orders, "run", *scenarios, "--jobs", "2", "--toxiproxy-image", toxiproxy_image)
    assert code == 0, said
    lost = cells(orders, "orders-reply-lost")
    assert lost["keys=ignored"]["outcomes"] == [{"client": "ok", "executions": 2, "status": ""}]
    assert lost["keys=ignored"]["properties"]["once"] == "violated"
    assert lost["keys=honoured"]["outcomes"] == [{"client": "ok", "executions": 1, "status": ""}]
    assert lost["keys=honoured"]["properties"] == {"valid": "holds", "complete": "holds", "once": "holds"}
    assert [cell["bitten"] for cell in lost.values()] == [4, 4]
    assert all(steps["effective"] for steps in cells(orders, "orders-crash")["-"]["faults"])
    assert cells(orders, "orders-slow-answers")["-"]["bitten"] >= 1
    assert (orders / "docker-compose.yml").read_bytes() == file
    assert faultbed(orders, "check", "results/orders-reply-lost/latest")[0] == 0
    assert "exactly-once is violated (once)" in held_to_once(orders / "results/orders-reply-lost/latest/ignored")


def held_to_once(folder: Path) -> str:
    """The broken service is a finding as soon as nobody expects it to be broken."""
    cell = Cell.model_validate_json((folder / "plan.json").read_text())
    expect = cell.expect.model_copy(
        update={"bitten": None, "delivery": Delivery(holds="exactly-once", under=("loss",))}
    )
    judgement = judge(cell.model_copy(update={"expect": expect}), read_history(folder / HISTORY))
    return "; ".join(found.reason for found in judgement.expectations if found.verdict is Met.UNMET)


HANGS = "import sys\nfor line in sys.stdin:\n    if 'open' in line:\n        print('{\"type\": \"ok\"}', flush=True)\n"


@pytest.mark.parametrize(
    ("file", "old", "new", "said"),
    [
        ("reply-lost.yaml", "exec: ./drive.py", "exec: [PYTHON, hangs.py], patience: 200ms", "it hangs"),
        ("docker-compose.yml", "services:\n", "servces:\n", "docker compose failed"),
        ("docker-compose.yml", "redis-server, --prot", "redis-server, --no-such-option, --prot", "redis"),
    ],
)  # fmt: skip
def test_what_fails_is_told_and_undone(orders: Path, file: str, old: str, new: str, said: str) -> None:
    (orders / "hangs.py").write_text(HANGS)
    change(orders / file, old, new.replace("PYTHON", sys.executable))
    change(orders / "reply-lost.yaml", "timeout: 20s", "timeout: 500ms")
    code, told = faultbed(orders, "run", "reply-lost.yaml", "--only", "keys=honoured")
    assert code == 3, told
    assert said in told


def test_other_backends_are_refused(tmp_path: Path) -> None:
    with Running(tmp_path, "run", str(EXAMPLE / "reply-lost.yaml"), "--backend", "sim") as command:
        code, out, err = command.end()
    assert (code, "leave it out" in err) == (4, True), out + err


def calling(command: Running) -> None:
    until(lambda: any(path.stat().st_size > 4096 for path in command.journals("driver")), "calls", SLOWEST)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_a_signal_takes_the_project_down(
    orders: Path, docker_engine: docker.DockerClient, number: int, code: int
) -> None:
    change(orders / "reply-lost.yaml", "calls: 8", "calls: 5000")
    with Running(orders, "run", "reply-lost.yaml", "--only", "keys=honoured") as command:
        calling(command)
        command.process.send_signal(number)
        out, err = command.process.communicate(timeout=SLOWEST)
        assert command.process.returncode == code, out + err
        assert not left_by(docker_engine, command.process.pid)


def test_a_killed_orchestrator_leaves_what_clean_removes(orders: Path, docker_engine: docker.DockerClient) -> None:
    change(orders / "reply-lost.yaml", "calls: 8", "calls: 5000")
    with Running(orders, "run", "reply-lost.yaml", "--only", "keys=honoured") as command:
        calling(command)
        command.process.kill()
        command.process.wait()
        command.all_gone()
        assert left_by(docker_engine, command.process.pid)
        code, said = faultbed(orders, "clean")
        assert code == 0, said
        assert not left_by(docker_engine, command.process.pid)
