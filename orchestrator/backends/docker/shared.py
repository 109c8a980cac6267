"""What the cells of one `faultbed run` share at the engine: a client, networks, threads, and the sweep at the end."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Sequence
from typing import Any

import docker

from orchestrator.backends.docker.engine import EngineError, connect
from orchestrator.backends.docker.image import check_image, image_name
from orchestrator.backends.docker.labels import Owner
from orchestrator.backends.docker.leftovers import AT_ONCE, CONTAINER, VOLUME, Thing, remove, remove_all, sweep
from orchestrator.backends.docker.network import Networks
from orchestrator.backends.docker.specification import SOCKETS, SOCKETS_OPTIONS, confinement
from orchestrator.backends.host import PARTS, Launch
from orchestrator.backends.leftovers import orchestrator_id, place
from orchestrator.backends.processes import Supervisor
from orchestrator.backends.threads import workers

TOXIPROXY = "ghcr.io/shopify/toxiproxy:2.12.0"


class DockerBackend:
    """Shared by cells in several threads. Planes that run beside the orchestrator are its supervisor's."""

    def __init__(
        self,
        client: docker.DockerClient,
        supervisor: Supervisor,
        image: str,
        toxiproxy_image: str,
        seccomp: str | None = None,
    ) -> None:
        self.client = client
        self.supervisor = supervisor
        self.image = image
        self.toxiproxy_image = toxiproxy_image
        self._seccomp = seccomp
        self.owner = Owner(supervisor.run, orchestrator_id(), place())
        self.networks = Networks(client, self.owner)
        self.gate = threading.Semaphore(AT_ONCE)
        self.pool = workers(AT_ONCE, "what the engine is asked for")
        self._cells = itertools.count(1)

    @classmethod
    def open(
        cls, supervisor: Supervisor, image: str | None, toxiproxy_image: str | None, seccomp: str | None
    ) -> DockerBackend:
        """What earlier runs were killed over is removed first.

        Raises SessionError, with the remedy: no engine that can be used, or not with this image.
        """
        client = connect()
        try:
            check_image(client, image or image_name())
            sweep(client)
            return cls(client, supervisor, image or image_name(), toxiproxy_image or TOXIPROXY, seccomp)
        except BaseException:
            client.close()
            raise

    def cell_name(self) -> str:
        """What the names of one cell's containers and volumes begin with."""
        return f"faultbed-{self.owner.run}-c{next(self._cells)}"

    def host_config(
        self, launch: Launch, network: str, volume: str, home: str, sockets: str | None = None
    ) -> dict[str, Any]:
        """`sockets` is the volume that the cell's nodes share for their Unix sockets, if they have any."""
        node = launch.role == "node"
        seccomp = self._seccomp if node or launch.role in PARTS else None
        mounts = [docker.types.Mount(home, volume, type="volume", labels=self.owner.labels())]
        if node and sockets is not None:
            driver = docker.types.DriverConfig("local", SOCKETS_OPTIONS)
            mounts.append(
                docker.types.Mount(SOCKETS, sockets, type="volume", labels=self.owner.labels(), driver_config=driver)
            )
        config: dict[str, Any] = self.client.api.create_host_config(
            mounts=mounts,
            **confinement(launch.limits, network, seccomp),
        )
        return config

    def remove(self, containers: Sequence[str], volumes: Sequence[str]) -> list[Thing]:
        """-> what is still there, and will be tried again when the backend closes."""
        made = [Thing(CONTAINER, name, name, self.owner) for name in containers]
        made += [Thing(VOLUME, name, name, self.owner) for name in volumes]
        try:
            return remove(self.client, made, self.pool)
        except EngineError:
            return made

    def close(self) -> None:
        """Remove whatever the engine still has of this run. Raises SessionError if anything is left."""
        try:
            remove_all(self.client, self.owner.run, self.pool)
        finally:
            self.pool.shutdown()
            self.client.close()

    def __enter__(self) -> DockerBackend:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
