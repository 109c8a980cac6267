"""The Docker engine: a client of it, and its errors told in our words. The SDK's exceptions end here."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPException

import docker
import requests
import urllib3
from docker.errors import APIError, DockerException, NotFound

from orchestrator.run.session import SessionError

TIMEOUT = 60
"""Seconds for one answer of the engine's; a loaded one takes a while to remove things."""
CONNECTIONS = 64
ITSELF = ("Version", "ApiVersion", "Os", "Arch", "KernelVersion")

FAILURES = (requests.RequestException, urllib3.exceptions.HTTPError, HTTPException, DockerException, OSError)
"""What the SDK raises where no answer came: its own, and what it lets pass of the layers beneath it."""


class EngineError(SessionError):
    """The engine is not there, may not be used, or refused; the text says what was asked, why not and what to do."""


class Refused(EngineError):
    """The engine answered, and would not."""


class Missing(Refused):
    """What was asked about is not there (any more)."""


class Gone(EngineError):
    """The engine does not answer."""


@contextmanager
def asking(what: str) -> Iterator[None]:
    """Translate what the SDK raises while the engine is asked to do `what`."""
    try:
        yield
    except NotFound as error:
        raise Missing(f"the Docker engine could not {what}: {error.explanation}") from error
    except APIError as error:
        raise Refused(f"the Docker engine could not {what}: {error.explanation or error}") from error
    except FAILURES as error:
        raise Gone(f"the Docker engine did not answer when it should {what}: {error}; is it still running?") from error


def answering() -> docker.DockerClient:
    """A client of the engine that DOCKER_HOST names, or of this host's. Raises EngineError that names the remedy."""
    try:
        return docker.from_env(timeout=TIMEOUT, max_pool_size=CONNECTIONS)
    except (DockerException, requests.RequestException, OSError) as error:
        raise Gone(f"no Docker engine can be used here: {why_not(error)}") from None


def connect() -> docker.DockerClient:
    """An engine whose containers can be reached at their own addresses. Raises EngineError that names the remedy."""
    client = answering()
    try:
        with asking("describe itself"):
            problem = unreachable(client.api.base_url, client.info())
        if problem is not None:
            raise EngineError(f"containers cannot be reached: {problem}; run agents there instead (--backend attach)")
    except EngineError:
        client.close()
        raise
    return client


def why_not(error: BaseException) -> str:
    """The reason beneath the SDK's exceptions, and the remedy."""
    causes = set(map(type, _beneath(error)))
    if PermissionError in causes:
        return "no permission to use its socket; join the group docker (newgrp docker), or run as root"
    if causes & {FileNotFoundError, ConnectionRefusedError}:
        return "nothing answers at its socket; start it (systemctl start docker), or set DOCKER_HOST if it is elsewhere"
    return f"{error}; start it, or set DOCKER_HOST if it is elsewhere"


def _beneath(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        for argument in error.args:
            if isinstance(argument, BaseException):
                yield from _beneath(argument)
        error = error.__cause__ or error.__context__


def unreachable(url: str, info: dict[str, object]) -> str | None:
    """Why containers' addresses are not this host's to reach, going by what the engine says of itself."""
    if not url.startswith("http+docker://"):
        return f"the engine is on another host ({url})"
    if "Docker Desktop" in str(info.get("OperatingSystem")):
        return "Docker Desktop runs them in a virtual machine"
    if any("rootless" in str(option) for option in _listed(info.get("SecurityOptions"))):
        return "a rootless engine keeps them in a network namespace of its own"
    return None


def _listed(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def told() -> dict[str, str]:
    """What the engine says of itself; one that cannot be asked fails its cells, and they say why."""
    try:
        client = answering()
    except SessionError as error:
        return {"error": str(error)}
    try:
        with asking("tell its version"):
            said = client.version()
    except SessionError as error:
        return {"error": str(error)}
    finally:
        client.close()
    return {key: str(said.get(key, "")) for key in ITSELF}
