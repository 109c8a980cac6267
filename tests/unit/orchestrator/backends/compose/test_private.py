"""What a compose file names of the world outside, and what of it is refused: every row of the table has a case."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import Any

import pytest

from orchestrator.backends.compose.machine import look, machine
from orchestrator.backends.compose.private import REFUSED, Kind, Machine, refusals
from orchestrator.scenario.system import Project

PATHS: dict[str, Kind] = {"/src": "plain", "/data": "plain", "/run/docker.sock": "special", "/dev/fuse": "special"}
SHARING = Machine(lambda path: PATHS.get(path, "missing"), frozenset({"/data", "/dev/kvm", "/export"}))


def service(**parts: Any) -> dict[str, Any]:
    return {"services": {"a": {"image": "x", **parts}}}


def mount(source: str, **parts: Any) -> dict[str, Any]:
    return service(volumes=[{"type": "bind", "source": source, "target": "/t", **parts}])


HARMFUL: list[tuple[dict[str, Any], str, str]] = [
    (service(network_mode="host"), "services.a.network_mode", "put the service on a network"),
    (service(network_mode="host"), "services.a.network_mode", "this machine's own"),
    (service(network_mode="live_default"), "services.a.network_mode", "network live_default"),
    (service(network_mode="container:live"), "services.a.network_mode", "container:live"),
    (service(pid="host"), "services.a.pid", "leave it out"),
    (service(ipc="container:live"), "services.a.ipc", "container:live"),
    (service(uts="host"), "services.a.uts", "this machine's own"),
    (service(cgroup="host"), "services.a.cgroup", "this machine's own"),
    (service(volumes_from=["b", "container:live:ro"]), "services.a.volumes_from.1", "name a volume of the project"),
    (service(external_links=["live:db"]), "services.a.external_links.0", "live:db"),
    (service(provider={"type": "cloud"}), "services.a.provider.type", "give the service an image"),
    (service(use_api_socket=True), "services.a.use_api_socket", "engine's socket"),
    (mount("/src"), "services.a.volumes.0", "can be written by the run; mount it read-only"),
    (mount("/nothing", read_only=True), "services.a.volumes.0", "does not exist"),
    (mount("/run/docker.sock", read_only=True), "services.a.volumes.0", "even where it is read-only"),
    (service(volumes=[{"type": "npipe", "source": "p", "target": "/t"}]), "services.a.volumes.0", "p is not"),
    (service(devices=[{"source": "/dev/fuse", "target": "/dev/fuse"}]), "services.a.devices.0", "/dev/fuse"),
    (service(networks={"n": {"ipv4_address": "10.9.0.5"}}), "services.a.networks.n.ipv4_address", "by its name"),
    (service(networks={"n": {"ipv6_address": "fd00::5"}}), "services.a.networks.n.ipv6_address", "by its name"),
    ({"networks": {"n": {"external": True, "name": "live"}}}, "networks.n.external", "${EXTERNAL:-true}"),
    ({"networks": {"n": {"driver": "macvlan"}}}, "networks.n.driver", "use the driver bridge"),
    ({"volumes": {"v": {"external": True, "name": "live"}}}, "volumes.v.external", "${EXTERNAL:-true}"),
    (
        {"volumes": {"v": {"driver_opts": {"type": "none", "o": "bind", "device": "/src"}}}},
        "volumes.v.driver_opts",
        "lies at /src",
    ),
    ({"secrets": {"s": {"external": True}}}, "secrets.s.external", "from a file"),
    ({"configs": {"c": {"external": True}}}, "configs.c.external", "from a file"),
    ({"secrets": {"s": {"file": "/run/docker.sock"}}}, "secrets.s.file", "even where it is read-only"),
    ({"configs": {"c": {"file": "/dev/fuse"}}}, "configs.c.file", "even where it is read-only"),
    ({"configs": {"c": {"file": "/nothing"}}}, "configs.c.file", "does not exist"),
    (
        {"volumes": {"v": {"driver_opts": {"type": "tmpfs", "o": "size=1m,bind", "device": "/src"}}}},
        "volumes.v.driver_opts",
        "lies at /src",
    ),
]


@pytest.mark.parametrize(("project", "where", "said"), HARMFUL)
def test_it_is_refused_with_its_name_and_the_remedy(project: dict[str, Any], where: str, said: str) -> None:
    (told,) = refusals(project, SHARING)
    assert told.startswith(f"{where}: ")
    assert said in told
    assert "; " in told


def test_every_row_has_a_case() -> None:
    told = [next(refusals(project, SHARING)).partition(":")[0] for project, _, _ in HARMFUL]
    assert all(any(fits(row.where, path) for path in told) for row in REFUSED)


def fits(pattern: str, path: str) -> bool:
    return all(a in ("*", b) for a, b in zip(pattern.split("."), path.split("."), strict=False))


@pytest.mark.parametrize(
    "project",
    [
        service(network_mode="service:b", ipc="shareable", volumes_from=["b"], networks={"n": {"aliases": ["c"]}}),
        mount("/src", read_only=True),
        mount("/data"),
        service(volumes=[{"type": "volume", "source": "v", "target": "/t"}, {"type": "tmpfs", "target": "/u"}]),
        service(devices=[{"source": "/dev/kvm", "target": "/dev/kvm"}]),
        {"networks": {"default": {"name": "p_default", "driver": "bridge"}, "n": None}},
        {"networks": {"n": {"driver": ""}, "m": {"driver": "default"}}},
        {"volumes": {"v": {"name": "live"}, "w": None, "x": {"driver_opts": {"type": "tmpfs", "device": "tmpfs"}}}},
        {"volumes": {"v": {"driver_opts": {"type": "none", "o": "bind", "device": "/export"}}}},
        {"secrets": {"s": {"file": "/src"}}, "configs": {"c": {"name": "c", "content": "x"}}},
    ],
)
def test_what_is_the_projects_own_or_shared_by_name_is_not(project: dict[str, Any]) -> None:
    assert list(refusals(project, SHARING)) == []


def test_all_that_is_wrong_is_told() -> None:
    project = {**service(pid="host", ipc="host"), "volumes": {"v": {"external": True}}}
    assert len(list(refusals(project, SHARING))) == 3


def test_what_paths_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "sockets").mkdir()
    (tmp_path / "database").mkdir()
    os.mkfifo(tmp_path / "pipe")
    with socket.socket(socket.AF_UNIX) as bound, socket.socket(socket.AF_UNIX) as other:
        monkeypatch.chdir(tmp_path)
        bound.bind("sockets/engine.sock")
        other.bind("database/.s.PGSQL.5432")
        monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/sockets/engine.sock")
        found = {
            name: look(str(tmp_path / name))
            for name in ("file", "none", "pipe", "sockets", "sockets/engine.sock", "database")
        }
    assert found == {
        "file": "plain",
        "none": "missing",
        "pipe": "special",
        "sockets": "special",
        "sockets/engine.sock": "special",
        "database": "special",
    }


def test_shares_are_written_as_in_the_compose_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    project = Project(compose="deploy/compose.yml", folder="/src", shares=("./data/", "~/data", "/data", ":/nfs"))
    assert machine(project).shares >= {"/src/deploy/data", "/home/me/data", "/data", ":/nfs"}
