"""A Toxiproxy server in a container of the test's own, driven by the plane as a server that runs already."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import docker
import pytest
from docker.errors import ImageNotFound
from relay_harness import LINK, TIMEOUT
from running import until
from testcontainers.core.config import testcontainers_config
from testcontainers.core.container import DockerContainer
from toxiproxy_rig import ToxiproxyRig

from chaos.faults.streams import LimitData, ResetPeer
from chaos.planes.toxiproxy.api import Server, ToxiproxyError

PORT = 8474


@pytest.fixture
def network(docker_engine: docker.DockerClient, toxiproxy_image: str) -> Iterator[dict[str, str]]:
    """What the engine says of the container's network: its own address, and that of this machine."""
    try:
        docker_engine.images.get(testcontainers_config.ryuk_image)
    except ImageNotFound:
        testcontainers_config.ryuk_disabled = True  # it would be pulled, and the container is removed here anyway
    with DockerContainer(toxiproxy_image, command=f"-host 0.0.0.0 -port {PORT}") as container:
        wrapped = container.get_wrapped_container()
        wrapped.reload()
        yield wrapped.attrs["NetworkSettings"]["Networks"]["bridge"]


def answers(url: str) -> bool:
    try:
        Server(url)
    except ToxiproxyError:
        return False
    return True


def test_toxics_bite_in_a_container(tmp_path: Path, network: dict[str, str]) -> None:
    here, there = network["Gateway"], network["IPAddress"]
    url = f"http://{there}:{PORT}"
    until(lambda: answers(url), "the server in the container to answer")
    faults = (LimitData(link=LINK, limit_data=60), ResetPeer(link=LINK, reset_peer=0, stream="upstream"))
    with ExitStack() as stack:
        rig = ToxiproxyRig(tmp_path, stack, faults, here=here, listen=there, api=url)
        assert rig.address[0] == there
        assert rig.connection().sent("downstream") > 0
        exchange = rig.connection_while_on("open", index=0)
        exchange.server.socket.sendall(b"x" * 100)
        assert exchange.client.ended() == b"x" * 60
        reset = rig.connection_while_on("new", index=1)
        reset.client.socket.sendall(b"lost")
        with pytest.raises(ConnectionResetError):
            reset.server.socket.recv(1)
        rig.control.tell("heal")
        assert rig.connection().sent("downstream") > 0
        rig.control.tell("stop")
        rig.plane.process.wait(TIMEOUT)
    assert not Server(url).proxies()
