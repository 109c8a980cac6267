"""A Toxiproxy server in a container of the cell's own."""

from __future__ import annotations

import time
from typing import Any

import requests

from orchestrator.backends.docker.engine import EngineError, Gone, asking
from orchestrator.backends.docker.network import Network
from orchestrator.backends.docker.shared import DockerBackend
from orchestrator.backends.docker.specification import USER, confinement
from orchestrator.scenario.cell import NO_LIMITS

PORT = 8474
PATIENCE = 10.0
PAUSE = 0.02
SYSCTLS = {"net.ipv4.tcp_syn_retries": "1"}
"""A killed node's address is nobody's, so nothing refuses a connection to it, and Toxiproxy, which connects where it
accepts, could not be told anything before it gives up: after three seconds (tcp(7)), not after two minutes."""


class Toxiproxy:
    """The container `name` at `address`; whoever made it removes it."""

    def __init__(self, backend: DockerBackend, name: str, network: Network, address: str) -> None:
        self.name = name
        self._backend = backend
        self._network = network
        self._address = address

    def place(self) -> dict[str, Any]:
        """What the plane's configuration says of it."""
        return {"listen": self._address, "api": f"http://{self._address}:{PORT}"}

    def start(self) -> None:
        """Start it and wait until it answers. Raises EngineError."""
        self._have_image()
        api = self._backend.client.api
        with asking(f"start Toxiproxy in a container of {self._backend.toxiproxy_image}"):
            api.create_container(
                image=self._backend.toxiproxy_image,
                command=["-host", "0.0.0.0", "-port", str(PORT)],
                name=self.name,
                hostname="toxiproxy",
                user=USER,
                labels=self._backend.owner.labels(),
                host_config=api.create_host_config(sysctls=SYSCTLS, **confinement(NO_LIMITS, self._network.name)),
                networking_config=self._network.endpoint(self._address, "toxiproxy"),
            )
            api.start(self.name)
        self._answers()

    def _have_image(self) -> None:
        client, image = self._backend.client, self._backend.toxiproxy_image
        try:
            with asking(f"find or pull the image {image}"):
                if not client.api.images(image):
                    client.api.pull(image)
        except EngineError as error:
            remedy = "name one that it has (--toxiproxy-image IMAGE, or FAULTBED_TOXIPROXY_IMAGE)"
            raise EngineError(f"{error}; {remedy}") from None

    def _answers(self) -> None:
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                requests.get(f"{self.place()['api']}/version", timeout=PATIENCE)
                return
            except requests.RequestException as error:
                if time.monotonic() > deadline:
                    raise Gone(f"Toxiproxy in {self.name} does not answer: {error}{self._log()}") from None
                time.sleep(PAUSE)

    def _log(self) -> str:
        with asking(f"give the log of {self.name}"):
            text: bytes = self._backend.client.api.logs(self.name, tail=5)
        return f"; the end of its log:\n{text.decode('utf-8', 'replace')}" if text else ""
