"""The packet plane at containers: entered directly by root, from a helper container by anybody else."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack, suppress

import docker
import pytest
from docker.errors import NotFound
from docker.models.containers import Container
from packet_rig import COUNT, LINK, Datagrams, Rig
from requirements import need_root
from switched import Inside, run_inside

from chaos.faults.paths import Partition
from chaos.planes.packet import availability, container
from chaos.planes.packet.container import ContainerNamespace
from chaos.planes.packet.namespace import NamespaceError, NamespaceGone

NODES = ("server", "client", "other")


class Containers:
    """A container a node, on the engine's own network."""

    def __init__(self, stack: ExitStack, engine: docker.DockerClient, image: str) -> None:
        self._stack = stack
        self._image = image
        self._containers = {node: self._start(engine, image) for node in NODES}

    def _start(self, engine: docker.DockerClient, image: str) -> Container:
        made = engine.containers.run(image, ["infinity"], entrypoint=["sleep"], init=True, detach=True)
        self._stack.callback(remove, made)
        return made

    def __getitem__(self, node: str) -> Container:
        self._containers[node].reload()
        return self._containers[node]

    def path(self, node: str) -> str:
        return str(self[node].attrs["NetworkSettings"]["SandboxKey"])

    def address(self, node: str) -> str:
        return str(self[node].attrs["NetworkSettings"]["IPAddress"])

    def places(self) -> dict[str, dict[str, str]]:
        return {
            node: {"address": self.address(node), "container": str(self[node].id), "helper": self._image}
            for node in NODES
        }

    def socket(self, node: str, kind: int) -> socket.socket:
        with Inside(self.path(node)) as inside:
            return self._stack.enter_context(inside.socket(self.address(node), kind))

    def run(self, node: str, *command: str) -> str:
        return run_inside(self.path(node), *command)


def remove(container: Container) -> None:
    with suppress(NotFound):
        container.remove(force=True, v=True)


@pytest.fixture
def containers(docker_engine: docker.DockerClient, node_image: str) -> Iterator[Containers]:
    need_root()  # for the sockets of these tests, which are opened inside
    if reason := availability.netfilter():
        pytest.skip(f"netfilter: {reason}")
    with ExitStack() as stack:
        yield Containers(stack, docker_engine, node_image)


@pytest.fixture(params=["entered", "helper"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """How the plane gets into a container."""
    if request.param == "helper":
        monkeypatch.setattr(container, "may_enter", lambda: False)
    return str(request.param)


def test_a_partition_of_containers(containers: Containers, way: str) -> None:
    udp = Datagrams(containers)
    rig = Rig(containers, udp.server, Partition(link=LINK, partition="both"))
    rig.switch(True)
    assert (udp.asked(), udp.answered()) == ([], [])
    assert len(udp.through(udp.other, udp.server, "server")) == COUNT
    rig.switch(False)
    assert (len(udp.asked()), len(udp.answered())) == (COUNT, COUNT)
    assert rig.counted() == {(LINK, "request"): COUNT, (LINK, "reply"): COUNT}
    rig.plane.close()
    assert containers.run("server", "nft", "list", "tables") == ""


def test_a_restarted_container_meets_its_rules_again(containers: Containers, way: str) -> None:
    udp = Datagrams(containers)
    rig = Rig(containers, udp.server, Partition(link=LINK, partition="both"))
    rig.switch(True)
    upstream = {"type": "upstream", "link": LINK, "epoch": 2, "places": containers.places()}
    address = list(udp.server.getsockname())
    udp.server.close()
    containers["server"].kill()
    containers["server"].wait()
    rig.plane.obey({**upstream, "address": None})
    rig.switch(False)  # its namespace is gone, the client's is not
    assert rig.counted() == {(LINK, "reply"): 0}
    rig.switch(True)
    containers["server"].start()
    assert containers.address("server") == address[0]
    assert containers.run("server", "nft", "list", "tables") == ""
    rig.plane.obey({**upstream, "address": address})
    assert "rule_0" in containers.run("server", "nft", "list", "ruleset")
    rig.plane.close()
    assert containers.run("server", "nft", "list", "tables") == ""


def test_a_container_that_is_gone(containers: Containers, node_image: str, way: str) -> None:
    namespace = ContainerNamespace(str(containers["other"].id), node_image)
    assert "lo" in namespace.run(["ip", "link"])
    remove(containers["other"])
    with pytest.raises(NamespaceGone, match="is gone"):
        namespace.run(["ip", "link"])


def test_a_tool_that_fails_says_why(containers: Containers, node_image: str, way: str) -> None:
    namespace = ContainerNamespace(str(containers["other"].id), node_image)
    with pytest.raises(NamespaceError, match=r"nft -f - failed .*No such file or directory"):
        namespace.run(["nft", "-f", "-"], "delete table ip faultbed\n")
    with pytest.raises(NamespaceError, match="packet faults need nftables and iproute2"):
        namespace.run(["no-such-tool"])


def test_a_helper_image_that_is_missing(containers: Containers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(container, "may_enter", lambda: False)
    namespace = ContainerNamespace(str(containers["other"].id), "faultbed-no-such-image:0")
    with pytest.raises(NamespaceError, match="run `faultbed image build`"):
        namespace.run(["ip", "link"])


def test_an_engine_that_does_not_answer(monkeypatch: pytest.MonkeyPatch, nobody: str) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"tcp://{nobody}")
    container.engine.cache_clear()
    with pytest.raises(NamespaceError, match="the engine failed at container abc: "):
        ContainerNamespace("abc", "image").run(["ip", "link"])
    container.engine.cache_clear()
