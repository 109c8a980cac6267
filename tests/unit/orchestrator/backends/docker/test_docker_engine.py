"""What is told of an engine that cannot be used."""

from __future__ import annotations

from http.client import IncompleteRead

import docker
import pytest
import requests
from docker.errors import APIError, DockerException, NotFound

from orchestrator.backends.docker.engine import EngineError, Gone, Missing, Refused, asking, unreachable, why_not

RESPONSE = requests.Response()


def wrapped(inner: OSError) -> DockerException:
    """As the SDK does it: the reason is an argument of an argument."""
    return DockerException(requests.exceptions.ConnectionError("Connection aborted.", inner))


@pytest.mark.parametrize(
    ("inner", "remedy"),
    [
        (PermissionError(13, "Permission denied"), "group docker"),
        (FileNotFoundError(2, "No such file"), "systemctl start docker"),
        (ConnectionRefusedError(111, "refused"), "DOCKER_HOST"),
        (OSError("odd"), "odd"),
    ],
)
def test_the_remedy_fits_the_reason(inner: OSError, remedy: str) -> None:
    assert remedy in why_not(wrapped(inner))


def chained() -> DockerException:
    try:
        try:
            raise PermissionError(13, "Permission denied")
        except PermissionError as error:
            raise DockerException("it did not work") from error
    except DockerException as error:
        return error


def test_the_reason_may_be_the_cause() -> None:
    assert "group docker" in why_not(chained())


@pytest.mark.parametrize(
    ("raised", "told"),
    [
        (NotFound("no", RESPONSE, "No such container: x"), Missing),
        (APIError("no", RESPONSE, "not running"), Refused),
        (requests.exceptions.ConnectionError("aborted"), Gone),
        (requests.exceptions.ReadTimeout("late"), Gone),
        (ConnectionResetError("reset"), Gone),
        (TimeoutError("late"), Gone),
        (requests.exceptions.JSONDecodeError("no JSON", "x", 0), Gone),
        (IncompleteRead(b""), Gone),
    ],
)
def test_the_sdks_errors_are_told_in_our_words(raised: Exception, told: type[EngineError]) -> None:
    with (
        pytest.raises(EngineError, match="pause the container of server") as caught,
        asking("pause the container of server"),
    ):
        raise raised
    assert type(caught.value) is told


def test_any_other_error_is_not_the_engines() -> None:
    with pytest.raises(KeyError), asking("do it"):
        raise KeyError("ours")


@pytest.mark.parametrize(
    ("url", "info", "reason"),
    [
        ("http+docker://localhost", {"OperatingSystem": "Debian"}, None),
        ("http+docker://localhost", {"OperatingSystem": "Docker Desktop"}, "virtual machine"),
        ("http+docker://localhost", {"SecurityOptions": ["name=seccomp", "name=rootless"]}, "rootless"),
        ("http://10.0.0.1:2375", {}, "another host"),
    ],
)
def test_where_containers_cannot_be_reached(url: str, info: dict[str, object], reason: str | None) -> None:
    told = unreachable(url, info)
    assert told is None if reason is None else reason in str(told)


def test_the_sdk_has_what_is_used_of_it() -> None:
    assert docker.types.Ulimit(name="nofile", soft=1, hard=1)["Hard"] == 1
