"""Networks with subnets of our choice, shared by one run's cells one after another, never by two at once."""

from __future__ import annotations

import random
import threading
from collections import defaultdict
from collections.abc import Callable
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from typing import Any

import docker

from orchestrator.backends.docker.engine import Missing, Refused, asking
from orchestrator.backends.docker.labels import Owner
from orchestrator.backends.docker.subnets import Addresses, free_subnets, routed

ROUTES = Path("/proc/net/route")
ATTEMPTS = 20
"""How many subnets are tried when others take them at the same moment."""


class Network:
    """One network of the engine's, by its name. `groups`: datagrams reach multicast groups in it."""

    def __init__(self, client: docker.DockerClient, name: str, subnet: IPv4Network, groups: bool) -> None:
        self.name = name
        self.groups = groups
        self._client = client
        self._addresses = Addresses(subnet)
        self._lock = threading.Lock()

    def take_address(self) -> str:
        with self._lock:
            try:
                return str(self._addresses.take())
            except LookupError as error:
                raise Refused(f"{error}: the cell has too many nodes for one network") from None

    def give_back(self, address: str) -> None:
        with self._lock:
            self._addresses.give_back(IPv4Address(address))

    def endpoint(self, address: str, alias: str) -> dict[str, Any]:
        """The configuration of a container's place in it; both must be given again at every connecting."""
        endpoints: Any = {self.name: self._client.api.create_endpoint_config([alias], ipv4_address=address)}
        return docker.types.NetworkingConfig(endpoints)

    def disconnect(self, container: str) -> None:
        """Take a running container off the network."""
        with asking(f"disconnect {container} from {self.name}"):
            self._client.api.disconnect_container_from_network(container, self.name, force=True)

    def reconnect(self, container: str, address: str, alias: str) -> None:
        """Put it back at the same address and alias; without both the engine would choose others."""
        with asking(f"connect {container} to {self.name} at {address}"):
            self._client.api.connect_container_to_network(container, self.name, ipv4_address=address, aliases=[alias])


class Networks:
    """The networks of one run: of each kind as many as it has cells at once."""

    def __init__(self, client: docker.DockerClient, owner: Owner) -> None:
        self._client = client
        self._owner = owner
        self._free: dict[bool, list[Network]] = defaultdict(list)
        self._made = 0
        self._lock = threading.Lock()

    def acquire(self, groups: bool) -> Network:
        """A network that nobody uses. Raises EngineError."""
        with self._lock:
            if self._free[groups]:
                return self._free[groups].pop()
            self._made += 1
            name = f"faultbed-{self._owner.run}-{self._made}"
        return Network(self._client, name, self._create(name, groups), groups)

    def release(self, network: Network) -> None:
        """Nothing is connected to it any more."""
        with self._lock:
            self._free[network.groups].append(network)

    def _create(self, name: str, groups: bool) -> IPv4Network:
        taken = [*self._engines(), *_routed()]
        return create(lambda subnet: self._try(name, subnet, groups), taken, random.randrange(1 << 16))

    def _try(self, name: str, subnet: IPv4Network, groups: bool) -> None:
        with asking(f"create the network {name} with the subnet {subnet}"):
            self._client.api.create_network(
                name, driver="bridge", labels=self._owner.labels(), **without_way_out(Addresses(subnet), groups)
            )

    def _engines(self) -> list[IPv4Network]:
        with asking("list its networks"):
            networks = self._client.api.networks()
        pools = [pool for network in networks for pool in (network.get("IPAM") or {}).get("Config") or ()]
        subnets = [pool.get("Subnet", "") for pool in pools]
        return [IPv4Network(subnet) for subnet in subnets if subnet and ":" not in subnet]


def without_way_out(addresses: Addresses, groups: bool) -> dict[str, Any]:
    """The engine's own kind of these, an internal network, loses whatever is not for its subnet, groups too, wherever
    the kernel filters bridged packets (br_netfilter). For groups the default route leads to nobody instead, which who
    has no capability cannot change, and no address is translated.
    """
    nowhere = {"DefaultGatewayIPv4": str(addresses.nobody)} if groups else None
    pool = docker.types.IPAMPool(str(addresses.subnet), gateway=str(addresses.gateway), aux_addresses=nowhere)
    options = {"com.docker.network.bridge.enable_ip_masquerade": "false"} if groups else None
    return {"ipam": docker.types.IPAMConfig(pool_configs=[pool]), "internal": not groups, "options": options}


def create(attempt: Callable[[IPv4Network], None], taken: list[IPv4Network], start: int) -> IPv4Network:
    """Try free subnets until one is not refused for overlapping; another run may take one at the same moment."""
    refused: Refused | None = None
    for _, subnet in zip(range(ATTEMPTS), free_subnets(taken, start), strict=False):
        try:
            attempt(subnet)
            return subnet
        except Missing:
            raise
        except Refused as error:
            if "overlap" not in str(error).lower():
                raise
            refused = error
    reason = refused or "every subnet of 10.208.0.0/12 is taken"
    raise Refused(f"no network for the run: {reason}; remove networks that nobody needs (docker network prune)")


def _routed() -> list[IPv4Network]:
    return routed(ROUTES.read_text(encoding="ascii")) if ROUTES.exists() else []
