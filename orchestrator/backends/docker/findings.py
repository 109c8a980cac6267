"""Whether there is an engine that can be used, and the image for nodes."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.backends.backend import Finding
from orchestrator.backends.docker.engine import connect
from orchestrator.backends.docker.image import check_image, image_name
from orchestrator.run.session import SessionError


def findings() -> Iterator[Finding]:
    try:
        client = connect()
    except SessionError as error:
        yield Finding("docker", False, str(error))
        return
    try:
        yield Finding("docker", True, f"engine {client.version()['Version']}")
        check_image(client, image_name())
        yield Finding("docker image", True, image_name())
    except SessionError as error:
        yield Finding("docker image", False, str(error))
    finally:
        client.close()
