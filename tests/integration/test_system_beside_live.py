"""A run beside the user's own project, up from the same file, where all has names: nothing of it is touched."""

from __future__ import annotations

import json
import secrets
import shutil
import socket
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import docker
import pytest
from requirements import need
from running import Running, until
from shop import DOCKERFILE, DRIVE, SERVICE

from orchestrator.backends.docker.labels import RUN
from orchestrator.backends.docker.leftovers import things

SLOWEST = 150
CELLS = 4

COMPOSE = """
services:
  migrate:
    image: NAME-shop:latest
    command: [python3, /app/service.py, migrate]
    entrypoint: []
    user: root
    volumes: ["orders:/data"]
    networks: [net]
    healthcheck: {disable: true}
  shop:
    build: {context: ., args: {KEYS: "${KEYS:-live}"}, tags: ["NAME-shop:v1"]}
    image: NAME-shop:latest
    container_name: NAME-shop
    command: [python3, -u, /app/service.py]
    entrypoint: []
    user: root
    labels: {org.example.route: NAME}
    ports: ["127.0.0.1:PORT:8080"]
    volumes: ["orders:/data", "./conf:/conf:ro"]
    networks: {net: {aliases: [store]}}
    secrets: [password]
    healthcheck:
      test: [CMD, python3, -IS, -c, "import socket; socket.create_connection(('127.0.0.1', 8080))"]
      interval: 500ms
      timeout: 10s
      retries: 40
    depends_on: {migrate: {condition: service_completed_successfully}}
  audit:
    image: NAME-shop:latest
    container_name: NAME-audit
    command: [sleep, "1000"]
    entrypoint: []
    init: true
    healthcheck: {disable: true}
    networks: [net]
    links: ["shop:till"]
volumes: {orders: {name: NAME-orders}}
networks: {net: {name: NAME-net, ipam: {config: [{subnet: SUBNET}]}}}
secrets: {password: {file: ./password}}
"""

SCENARIO = """
scenario: beside
matrix: {keys: [a, b]}
system: {compose: docker-compose.yml, environment: {WHO: "${keys}"}EXTRA}
links: [{from: driver, to: "shop:8080", framer: http1}]
driver: {exec: ./drive.py, calls: 6, timeout: 20s}
oracle: {http: "shop:8080/effects"}
faults: [{drop: reply, link: "driver -> shop:8080", operations: [2]}]
expect: {bitten: {client: ok, executions: 2}, others: {client: ok, executions: 1}}
load: 30s
settle: 30s
"""


class Live(NamedTuple):
    """A project of the user's that is up."""

    folder: Path
    name: str
    port: int

    def compose(self, *arguments: str) -> str:
        command = ["docker", "compose", "--project-name", self.name, *arguments]
        done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, timeout=SLOWEST, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def answers(self) -> bool:
        try:
            return bool(self.published())
        except OSError:
            return False

    def published(self) -> bytes:
        """What its shop has booked, as it is called from this machine."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/effects", timeout=10) as response:
            return bytes(response.read())

    def ask(self, code: str) -> str:
        return self.compose("exec", "-T", "audit", "python3", "-c", code)

    def lookups(self) -> str:
        """Which addresses its own services find by each name."""
        names = ("shop", "store", "till", "audit", f"{self.name}-shop")
        return self.ask(f"import socket; print([sorted(socket.gethostbyname_ex(n)[2]) for n in {names}])")

    def facts(self, engine: docker.DockerClient) -> dict[str, Any]:
        filters = {"label": f"com.docker.compose.project={self.name}"}
        tags = (f"{self.name}-shop:latest", f"{self.name}-shop:v1")
        return {
            "containers": sorted(
                (one.id, one.attrs["State"]["StartedAt"], one.attrs["RestartCount"])
                for one in engine.containers.list(filters=filters, all=True)
            ),
            "volume": engine.volumes.get(f"{self.name}-orders").attrs["CreatedAt"],
            "content": self.compose("exec", "-T", "shop", "sh", "-c", "cd /data; head -c 999 booked migrated"),
            "network": engine.networks.get(f"{self.name}-net").id,
            "images": [engine.images.get(tag).id for tag in tags],
            "published": self.published(),
            "lookups": self.lookups(),
        }


@pytest.fixture
def live(tmp_path: Path, docker_engine: docker.DockerClient, node_image: str) -> Iterator[Live]:
    need("docker", "docker")
    name = f"live{secrets.token_hex(4)}"
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    subnet = f"10.{200 + secrets.randbelow(8)}.{secrets.randbelow(256)}.0/24"
    text = COMPOSE.replace("NAME", name).replace("PORT", str(port)).replace("SUBNET", subnet)
    (tmp_path / "docker-compose.yml").write_text(text)
    (tmp_path / "Dockerfile").write_text(DOCKERFILE.replace("BASE", node_image))
    (tmp_path / "service.py").write_text(SERVICE)
    (tmp_path / "password").write_text("secret")
    (tmp_path / "conf").mkdir()
    (tmp_path / "beside.yaml").write_text(SCENARIO.replace("EXTRA", ""))
    shutil.copy(DRIVE, tmp_path)
    made = Live(tmp_path, name, port)
    try:
        made.compose("build")
        made.compose("up", "--detach")
        until(made.answers, "the live shop to answer", 60)
        order = urllib.request.Request(f"http://127.0.0.1:{port}/", b"{}", {"Idempotency-Key": "101000001"})
        urllib.request.urlopen(order, timeout=10).close()
        yield made
    finally:
        made.compose("down", "--volumes", "--timeout", "1")
        for tag in ("latest", "v1"):
            docker_engine.images.remove(f"{name}-shop:{tag}")


def built(engine: docker.DockerClient, since: float, run: str) -> set[str]:
    """The images of a run that the engine has removed."""
    events = engine.events(since=since, until=engine_time(engine), filters={"type": "image"}, decode=True)
    return {one["id"] for one in events if one["Actor"]["Attributes"].get(RUN) == run and one["status"] == "untag"}


def engine_time(engine: docker.DockerClient) -> float:
    return float(subprocess.check_output(["date", "-d", engine.info()["SystemTime"], "+%s.%N"], text=True))


def run_of(folder: Path) -> str:
    """By the labels in what was laid over its file."""
    text = next((folder / "results").rglob("compose.override.yml")).read_text()
    return text.partition("org.faultbed.run: ")[2].split()[0].strip("'\"")


def test_nothing_of_the_live_project_is_touched(live: Live, docker_engine: docker.DockerClient) -> None:
    before, since = live.facts(docker_engine), engine_time(docker_engine)
    with Running(live.folder, "run", "beside.yaml", "--repeat", "2", "--jobs", "4") as command:
        while command.process.poll() is None:
            assert live.lookups() == before["lookups"], "also while the run goes on"
        code, out, err = command.end()
    assert code == 0, out + err
    assert live.facts(docker_engine) == before
    assert things(docker_engine, run_of(live.folder)) == []
    assert len(built(docker_engine, since, run_of(live.folder))) == 1, "for all cells and repeats"
    summary = json.loads((live.folder / "results/beside/latest/summary.json").read_text())
    assert len(summary["cells"]) == CELLS


def test_a_file_that_is_edited_while_a_run_goes_on_gives_nothing_of_the_users_away(
    live: Live, docker_engine: docker.DockerClient
) -> None:
    """What it names only now would be taken down with the rest, did the file say what to take down."""
    precious = docker_engine.volumes.create(f"{live.name}-precious")
    file = live.folder / "docker-compose.yml"
    before = file.read_text()
    try:
        with Running(live.folder, "run", "beside.yaml", "--only", "keys=a") as command:
            last = {"label": [RUN, "com.docker.compose.service=shop"]}
            until(lambda: docker_engine.containers.list(filters=last), "the run's project to come up", SLOWEST)
            edited = before.replace('"shop:till"]', '"shop:till"]\n    volumes: ["precious:/precious"]')
            file.write_text(edited.replace("volumes: {", f"volumes: {{precious: {{name: {precious.name}}}, "))
            command.end()
        assert docker_engine.volumes.get(precious.name).attrs["CreatedAt"] == precious.attrs["CreatedAt"]
        assert things(docker_engine, run_of(live.folder)) == []
    finally:
        file.write_text(before)
        precious.remove()


def test_what_a_run_builds_is_kept_on_request_and_for_good(live: Live, docker_engine: docker.DockerClient) -> None:
    (live.folder / "beside.yaml").write_text(SCENARIO.replace("EXTRA", ", keep_images: true"))
    with Running(live.folder, "run", "beside.yaml", "--only", "keys=a") as command:
        code, out, err = command.end()
    assert code == 0, out + err
    kept = [tag for image in docker_engine.images.list() for tag in image.tags if run_of(live.folder) in tag]
    try:
        assert len(kept) == 1
        assert not [thing for thing in things(docker_engine) if thing.kind == "image"], "nobody's to be cleaned"
    finally:
        for tag in kept:
            docker_engine.images.remove(tag)
