"""The host of one cell's containers; see orchestrator.backends.host.Host."""

from __future__ import annotations

import socket
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from chaos.supports import PlaneName
from nodes.control import TOKEN_VARIABLE, parse_control_line
from orchestrator.backends.docker.container import Container
from orchestrator.backends.docker.engine import EngineError, Missing, asking
from orchestrator.backends.docker.evidence import unpack
from orchestrator.backends.docker.shared import DockerBackend
from orchestrator.backends.docker.specification import specification
from orchestrator.backends.docker.toxiproxy import Toxiproxy
from orchestrator.backends.host import Failed, Launch, Tell
from orchestrator.backends.real import PATIENCE
from orchestrator.backends.threads import NoThread
from orchestrator.run.session import SessionError, SignalName

HOME = "/data"


class Volume(NamedTuple):
    """The volume that a container keeps its evidence in: the `generation`-th of its node, from 1."""

    name: str
    generation: int


class DockerHost:
    """Its containers share a network, which nobody else uses meanwhile, with multicast `groups` where they are wanted,
    and a folder of Unix `sockets`. Raises EngineError when there is no network.

    Restarting without durable state is restarting with another volume: the old one keeps its ledger.
    """

    def __init__(self, backend: DockerBackend, home: Path, groups: bool, sockets: bool) -> None:
        self._backend = backend
        self._home = home
        self._prefix = backend.cell_name()
        self._network = backend.networks.acquire(groups)
        self._sockets = f"{self._prefix}-sockets" if sockets else None
        self._containers: dict[tuple[str, int], Container] = {}
        self._latest: dict[str, Container] = {}
        self._addresses: dict[str, str] = {}
        self._called_at: dict[tuple[str, int], str] = {}
        self._taken: list[str] = []
        self._volumes: dict[str, Volume] = {}
        self._kept: dict[Volume, tuple[str, Container]] = {}
        self._toxiproxy: Toxiproxy | None = None
        self._closed = False

    def spawn(self, launch: Launch, tell: Tell) -> None:
        latest = self._latest.get(launch.name)
        if latest is None or not latest.ended.is_set():  # a predecessor that is only stopped keeps its address
            self._addresses[launch.name] = self._take_address()
        volume = self._volumes.setdefault(launch.name, Volume(f"{self._prefix}-{launch.name}-1", 1))
        name = f"{self._prefix}-{launch.name}-{launch.epoch}"
        create = partial(self._create, name, launch, volume, self._addresses[launch.name])
        try:
            container = Container(self._backend.client, name, launch, create, self._backend.gate, tell)
        except NoThread as error:
            tell(Failed(str(error)))
            return
        self._containers[launch.name, launch.epoch] = self._latest[launch.name] = container
        self._called_at[launch.name, launch.epoch] = self._addresses[launch.name]
        self._kept[volume] = (launch.name, container)

    def signal(self, name: str, epoch: int, signal: SignalName) -> None:
        self._containers[name, epoch].signal(signal)

    def connect(self, name: str, epoch: int, line: str, timeout: float) -> socket.socket:
        _, port = parse_control_line(line)
        return socket.create_connection((self._called_at[name, epoch], port), timeout)

    def address(self, name: str) -> str:
        return self._addresses[name]

    def plane(self, name: PlaneName) -> dict[str, Any]:
        if name == "relay":
            return {"listen": self._addresses[name]}
        if name == "packet":
            return {"places": {node: self._packet_place(node) for node in self._latest}}
        if self._toxiproxy is None:
            raise SessionError("no Toxiproxy was started for this cell")
        return self._toxiproxy.place()

    def start_toxiproxy(self) -> None:
        """Start the cell's own Toxiproxy server, and wait until it answers. Raises EngineError."""
        name = f"{self._prefix}-toxiproxy"
        self._toxiproxy = Toxiproxy(self._backend, name, self._network, self._take_address())
        self._toxiproxy.start()

    def archive(self, name: str) -> None:
        generation = self._volumes[name].generation + 1
        self._volumes[name] = Volume(f"{self._prefix}-{name}-{generation}", generation)

    def fetch(self, names: Iterable[str]) -> None:
        """Logs are here already. Out of every volume, by the last container that had it, even of a killed one."""
        wanted = set(names)
        kept = [volume for volume, (name, _) in self._kept.items() if name in wanted]
        try:
            list(self._backend.pool.map(self._fetch, kept))
        except EngineError as error:
            raise OSError(str(error)) from error

    def close(self) -> None:
        """What the engine will not let go now is found and told when the backend closes."""
        if self._closed:
            return
        self._closed = True
        for container in self._containers.values():
            container.close(PATIENCE)
        made = [container.name for container in self._containers.values()]
        if self._toxiproxy is not None:
            made.append(self._toxiproxy.name)
        volumes = [volume.name for volume in self._kept]
        left = self._backend.remove(made, volumes if self._sockets is None else [*volumes, self._sockets])
        if not left:
            for address in self._taken:
                self._network.give_back(address)
            self._backend.networks.release(self._network)

    def _take_address(self) -> str:
        self._taken.append(address := self._network.take_address())
        return address

    def _create(self, name: str, launch: Launch, volume: Volume, address: str) -> None:
        backend = self._backend
        sockets = self._sockets
        wanted = specification(launch, HOME, backend.image, sockets=sockets is not None)
        with asking(f"create a container for {launch.name}"):
            backend.client.api.create_container(
                name=name,
                environment={TOKEN_VARIABLE: launch.token},
                labels=backend.owner.labels(),
                host_config=backend.host_config(launch, self._network.name, volume.name, HOME, sockets),
                networking_config=self._network.endpoint(address, launch.name),
                **wanted,
            )

    def _packet_place(self, node: str) -> dict[str, Any]:
        container = self._latest[node].name
        return {"address": self._addresses[node], "container": container, "helper": self._backend.image}

    def _fetch(self, volume: Volume) -> None:
        name, container = self._kept[volume]
        generation = volume.generation if volume != self._volumes[name] else None
        try:
            unpack(self._archive(container), name, self._home, generation)
        except Missing:
            return  # it was never made

    def _archive(self, container: Container) -> Iterator[bytes]:
        """Its volume as a tar, in pieces. Raises EngineError."""
        with asking(f"give the evidence in {container.name}"):
            archive, _ = self._backend.client.api.get_archive(container.name, HOME)
            yield from archive
