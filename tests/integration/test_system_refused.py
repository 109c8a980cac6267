"""What cannot work or would touch what is not the run's: refused with reason and remedy before anything is started."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from requirements import need
from running import Running

from orchestrator.backends import named
from orchestrator.backends.compose import machine
from orchestrator.backends.refusals import refusal
from orchestrator.report.result import Refusal
from orchestrator.scenario.plan import load

DRIVE = Path(__file__).parents[2] / "examples/orders/drive.py"

COMPOSE = """
services:
  shop: {image: "nobody-has-this-image:1", depends_on: [cache]}
  cache: {image: "nobody-has-this-image:1"}
volumes: {data: }
"""
SCENARIO = """
scenario: refused
system: {compose: docker-compose.yml}
links:
  - {from: driver, to: "shop:8080", framer: http1}
  - {from: shop, to: "cache:6379", framer: resp}
driver: {exec: ./drive.py}
oracle: {redis: HGETALL booked, at: "cache:6379"}
faults: [{drop: reply, link: "driver -> shop:8080", operations: [2]}]
expect: {others: {client: ok, executions: 1}}
"""
ORACLE = '{redis: HGETALL booked, at: "cache:6379"}'
SHOP, CACHE = "shop: {", "cache: {"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    need("docker", "docker")
    monkeypatch.setattr(machine, "find_spec", lambda module: None)  # whatever is installed here
    (tmp_path / "docker-compose.yml").write_text(COMPOSE)
    (tmp_path / "refused.yaml").write_text(SCENARIO)
    shutil.copy(DRIVE, tmp_path)
    (tmp_path / "plain.py").touch(0o644)
    (tmp_path / "data").mkdir()
    return tmp_path


@pytest.mark.parametrize(
    ("file", "old", "new", "where", "said"),
    [
        ("refused.yaml", "exec: ./drive.py", "exec: ./plain.py", "driver.exec", "not executable: chmod +x"),
        ("refused.yaml", "exec: ./drive.py", "exec: ./gone.py", "driver.exec", "there is no program"),
        ("refused.yaml", "exec: ./drive.py", "exec: drive.py", "driver.exec", "expected ./drive.py"),
        ("refused.yaml", "exec: ./drive.py", "exec: [pyton3, x]", "driver.exec", "no program 'pyton3' on PATH"),
        ("refused.yaml", ORACLE, "{program: ./gone.py}", "oracle.program", "there is no program"),
        ("refused.yaml", ORACLE, "{program: ./plain.py}", "oracle.program", "chmod +x"),
        ("refused.yaml", ORACLE, '{sql: select 1, dsn: "postgresql://cache/x"}', "oracle.dsn", "pip install psycopg"),
        ("refused.yaml", ORACLE, '{sql: select 1, dsn: "mysql://cache/x"}', "oracle.dsn", "pip install pymysql"),
        ("refused.yaml", ORACLE, '{http: "till:80/x"}', "oracle.http", "no service 'till'; it has cache, shop"),
        ("refused.yaml", 'to: "cache:6379"', 'to: "till:6379"', "links[1].to", "no service 'till'"),
        ("refused.yaml", "compose: docker", "compose: no-docker", "system.compose", "no such compose file"),
        ("docker-compose.yml", SHOP, 'shop: {network_mode: "service:cache", ', "system.compose", "network_mode"),
        ("docker-compose.yml", CACHE, "cache: {scale: 2, ", "system.compose", "2 replicas"),
        ("docker-compose.yml", SHOP, "shop: {deploy: {replicas: 2}, ", "system.compose", "2 replicas"),
        (
            "docker-compose.yml",
            CACHE,
            "cache: {networks: {default: {ipv4_address: 10.9.9.9}}, ",
            "system.compose",
            "services.cache.networks.default.ipv4_address: '10.9.9.9'",
        ),
        ("docker-compose.yml", CACHE, 'cache: {volumes: ["./data:/d"], ', "system.compose", "can be written"),
        ("docker-compose.yml", CACHE, 'cache: {volumes: ["./non:/d:ro"], ', "system.compose", "does not exist"),
        ("docker-compose.yml", CACHE, 'cache: {volumes: ["/var/run:/d:ro"], ', "system.compose", "even where"),
        ("docker-compose.yml", CACHE, "cache: {pid: host, ", "system.compose", "services.cache.pid"),
        ("docker-compose.yml", CACHE, 'cache: {external_links: ["live"], ', "system.compose", "external_links"),
        (
            "docker-compose.yml",
            'cache: {image: "nobody-has-this-image:1"}\nvolumes: {data: }',
            'cache: {image: "nobody-has-this-image:1", volumes: ["data:/d"]}\nvolumes: {data: {external: true}}',
            "system.compose",
            "volumes.data.external",
        ),
    ],
)  # fmt: skip
def test_it_is_refused(folder: Path, file: str, old: str, new: str, where: str, said: str) -> None:
    text = (folder / file).read_text()
    assert old in text
    (folder / file).write_text(text.replace(old, new, 1))
    refused = check(folder)
    assert refused is not None
    assert refused.place == where
    assert said in refused.reason


def check(folder: Path) -> Refusal | None:
    """As `faultbed run` does it, before anything is started."""
    (cell,) = load(folder / "refused.yaml").cells
    return refusal(cell, named("local").problems(cell))


def test_the_command_says_all_of_it_and_begins_nothing(folder: Path) -> None:
    text = COMPOSE.replace(CACHE, 'cache: {pid: host, volumes: ["./data:/d"], ')
    (folder / "docker-compose.yml").write_text(text)
    (folder / "refused.yaml").write_text(SCENARIO.replace("exec: ./drive.py", "exec: ./plain.py"))
    with Running(folder, "run", "refused.yaml") as command:
        code, out, err = command.end()
    assert code == 4, out + err
    assert re.search(r"refused\.yaml:[1-9][0-9]*: driver\.exec: ", err)
    assert "services.cache.pid" in err
    assert "services.cache.volumes.0" in err
    assert "Traceback" not in err
    assert not (folder / "results").exists()


def test_nothing_is_wrong_with_it_as_it_is(folder: Path) -> None:
    assert check(folder) is None


def test_a_volume_can_be_external_for_everybody_but_the_run(folder: Path) -> None:
    """The remedy works: the file asks a variable."""
    text = (folder / "docker-compose.yml").read_text()
    text = text.replace(
        '1"}\nvolumes: {data: }',
        '1", volumes: ["data:/d"]}\nvolumes: {data: {external: "${EXTERNAL:-true}"}}',
    )
    (folder / "docker-compose.yml").write_text(text)
    scenario = SCENARIO.replace("docker-compose.yml}", 'docker-compose.yml, environment: {EXTERNAL: "false"}}')
    (folder / "refused.yaml").write_text(scenario)
    assert check(folder) is None


def test_a_folder_can_be_shared_by_name(folder: Path) -> None:
    (folder / "docker-compose.yml").write_text(COMPOSE.replace(CACHE, 'cache: {volumes: ["./data:/d"], '))
    (folder / "refused.yaml").write_text(
        SCENARIO.replace("docker-compose.yml}", "docker-compose.yml, shares: [./data]}")
    )
    assert check(folder) is None
