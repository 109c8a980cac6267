"""An image with a Toxiproxy server: the one that FAULTBED_TOXIPROXY_IMAGE names, or one made of the program alone."""

from __future__ import annotations

import io
import os
import tarfile
from collections.abc import Iterator

import docker
import pytest
from requirements import need

VARIABLE = "FAULTBED_TOXIPROXY_IMAGE"
NAME = "faultbed-test-toxiproxy"
PATH = "/toxiproxy-server"


@pytest.fixture(scope="session")
def toxiproxy_image(docker_engine: docker.DockerClient) -> Iterator[str]:
    """Its entrypoint is the server, as the official image's is."""
    if named := os.environ.get(VARIABLE):
        yield named
        return
    layer = io.BytesIO()
    with tarfile.open(fileobj=layer, mode="w") as tar:
        tar.add(need("toxiproxy-server", "toxiproxy"), PATH)  # CGO is off in every release: it needs no libc
    name = f"{NAME}:{os.getpid()}"
    docker_engine.api.import_image_from_data(
        layer.getvalue(), repository=NAME, tag=str(os.getpid()), changes=[f'ENTRYPOINT ["{PATH}"]']
    )
    yield name
    docker_engine.images.remove(name)
