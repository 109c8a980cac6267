"""Running a tool in a container's network namespace: directly where we may enter it, else from a helper container."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import docker
from docker.errors import APIError, DockerException, ImageNotFound, NotFound
from docker.models.containers import Container
from requests import RequestException

from chaos.planes.packet.entering import PATIENCE, execute, may_enter
from chaos.planes.packet.namespace import NamespaceError, NamespaceGone

PIPE = 'printf %s "$FAULTBED_INPUT" | exec "$@"'
"""A helper's program: the engine's API has no simple way to give a container its standard input."""
NOT_FOUND = 127
"""Exit code of a shell that found no such program (POSIX, "Exit Status for Commands")."""
CONFLICT = 409
HELPERS_PROCESSES = 64
"""A helper is an init, a shell and one tool."""
HELPERS_MEMORY = 128 * 1024 * 1024
"""Its bytes: some tables of a kernel's rules."""
OWNER = ("org.faultbed.run", "org.faultbed.orchestrator", "org.faultbed.place")


class ContainerNamespace:
    """A container by its id. The namespace is looked up at each use: a container that is restarted gets a new one."""

    def __init__(self, container: str, helper: str) -> None:
        self._container = container
        self._helper = helper

    def run(self, argv: Sequence[str], text: str = "") -> str:
        try:
            node = self._inspected()
            sandbox = node["NetworkSettings"]["SandboxKey"]
            # By the number of a process one could enter the namespace of another that got it since; by this file not.
            if may_enter() and Path(sandbox).exists():
                return execute(["nsenter", f"--net={sandbox}", "--", *argv], text, sandbox)
            return self._from_helper(argv, text, owner(node["Config"]["Labels"] or {}))
        except NotFound as error:
            raise NamespaceGone(f"container {self._container} is gone") from error
        except (DockerException, RequestException) as error:  # the SDK lets some of requests' pass
            raise NamespaceError(f"the engine failed at container {self._container}: {error}") from error

    def _inspected(self) -> dict[str, Any]:
        attributes: dict[str, Any] = engine().api.inspect_container(self._container)
        if not attributes["State"]["Running"]:
            raise NamespaceGone(f"container {self._container} does not run")
        return attributes

    def _from_helper(self, argv: Sequence[str], text: str, labels: dict[str, str]) -> str:
        try:
            helper = engine().containers.create(
                self._helper,
                ["-c", PIPE, "sh", *argv],
                entrypoint=["sh"],
                environment={"FAULTBED_INPUT": text},
                network_mode=f"container:{self._container}",
                user="0:0",
                cap_drop=["ALL"],
                cap_add=["NET_ADMIN"],
                security_opt=["no-new-privileges"],
                read_only=True,
                pids_limit=HELPERS_PROCESSES,
                mem_limit=HELPERS_MEMORY,
                labels=labels,
            )
        except ImageNotFound as error:
            raise NamespaceError(f"the helper's image {self._helper} is missing: run `faultbed image build`") from error
        try:
            return self._output(helper, argv)
        finally:
            helper.remove(force=True)

    def _output(self, helper: Container, argv: Sequence[str]) -> str:
        try:
            helper.start()
        except APIError as error:
            if error.status_code == CONFLICT:  # the node's container ended since
                raise NamespaceGone(f"container {self._container} does not run") from error
            raise
        status: int = helper.wait(timeout=PATIENCE)["StatusCode"]
        if status:
            raise self._failure(argv, status, helper.logs(stdout=False, stderr=True).decode(errors="replace"))
        output: bytes = helper.logs(stdout=True, stderr=False)
        return output.decode()

    def _failure(self, argv: Sequence[str], status: int, said: str) -> NamespaceError:
        what = f"{' '.join(argv)} failed in a helper at container {self._container}: {said.strip()}"
        if status == NOT_FOUND:
            return NamespaceError(f"{what}; packet faults need nftables and iproute2 in the image {self._helper}")
        return NamespaceError(what)


@cache
def engine() -> docker.DockerClient:
    """The engine that DOCKER_HOST names. Raises DockerException."""
    return docker.from_env()


def owner(labels: Mapping[str, str]) -> dict[str, str]:
    """Of a node's labels those that say whose it is: by them `faultbed clean` finds a helper whose run was killed."""
    return {label: labels[label] for label in OWNER if label in labels}
