"""PURE: the file that is laid over a user's compose file, whose own text is never touched.

A service behind a link (an *upstream*) moves to a private network of its own, and the proxy takes over its name on
the networks where it was. The proxy is in the private network too, under the names of the other upstreams, so that
what the service calls in its turn goes through its own links. Services that it depends on (`depends_on`) and that are
behind no link join the private network as well; whoever else may call the upstream stays outside and meets the proxy.
A dependency that the user's file does not declare is then not found, which is seen at once; were everybody let in, a
caller could miss the proxy unseen.

What a second project beside it would collide with is taken away: published ports and container names. Restart policies
are off, since bringing back what was killed is the scenario's affair. `!override` and `!reset` need Compose 2.24.4.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import yaml

PROXY = "faultbed-proxy"
"""The proxy's service in the project."""

Labels = Mapping[str, str]
Services = Mapping[str, Mapping[str, Any]]


class Behind(NamedTuple):
    """An upstream, and the services of which links say that they call it."""

    service: str
    callers: frozenset[str]


class Override(NamedTuple):
    """A value that replaces the user's instead of being merged with it."""

    value: Any


class Reset(NamedTuple):
    """The user's value is taken away."""


class _Dumper(yaml.SafeDumper):
    """YAML with Compose's tags."""

    def ignore_aliases(self, data: Any) -> bool:
        return True

    def represent_override(self, data: Override) -> yaml.Node:
        node = self.represent_data(data.value)
        node.tag = "!override"
        return node

    def represent_reset(self, data: Reset) -> yaml.Node:
        return self.represent_scalar("!reset", "null")


_Dumper.add_representer(Override, _Dumper.represent_override)
_Dumper.add_representer(Reset, _Dumper.represent_reset)


def text(value: Mapping[str, Any]) -> str:
    """The override as a compose file."""
    return yaml.dump(dict(value), Dumper=_Dumper, sort_keys=False)


def override(
    project: Mapping[str, Any], behind: Iterable[Behind], proxy: Mapping[str, Any], labels: Labels
) -> dict[str, Any]:
    """`project` is what `docker compose config` says; `proxy` says how the proxy's container is run."""
    services: Services = project["services"]
    upstreams = {one.service: one for one in behind}
    found: dict[str, Any] = {name: _service(name, services, upstreams, labels) for name in services}
    found[PROXY] = {**proxy, "restart": "no", "labels": dict(labels), "networks": _of_proxy(services, upstreams)}
    networks = {name: {"labels": dict(labels)} for name, network in _declared(project, "networks")}
    networks |= {_private(name): {"labels": dict(labels)} for name in upstreams}
    volumes = {name: {"labels": dict(labels)} for name, volume in _declared(project, "volumes")}
    return {"services": found, "networks": networks, **({"volumes": volumes} if volumes else {})}


def _declared(project: Mapping[str, Any], kind: str) -> list[tuple[str, Mapping[str, Any]]]:
    """Those that the project makes itself: what is external belongs to others."""
    found = (project.get(kind) or {}).items()
    return [(name, one or {}) for name, one in found if not (one or {}).get("external")]


def _service(name: str, services: Services, upstreams: Mapping[str, Behind], labels: Labels) -> dict[str, Any]:
    changed: dict[str, Any] = {"labels": dict(labels), "restart": "no", "ports": Reset(), "container_name": Reset()}
    if "network_mode" in services[name]:
        return changed
    if name in upstreams:
        changed["networks"] = Override({_private(name): {}})
        return changed
    joined = [one.service for one in upstreams.values() if _serves(name, one, services)]
    if joined:
        changed["networks"] = {network: {} for network in (*_networks(services[name]), *map(_private, joined))}
    return changed


def _serves(name: str, upstream: Behind, services: Services) -> bool:
    """Whether the upstream depends on it, and it does not call the upstream in its turn."""
    return name in (services[upstream.service].get("depends_on") or {}) and name not in upstream.callers


def _of_proxy(services: Services, upstreams: Mapping[str, Behind]) -> dict[str, Any]:
    aliases: dict[str, list[str]] = {}
    for name in upstreams:
        for network, config in _networks(services[name]).items():
            aliases.setdefault(network, []).extend([name, *((config or {}).get("aliases") or ())])
    for name in upstreams:
        others = (
            other
            for other in upstreams
            if other != name and _networks(services[name]).keys() & _networks(services[other]).keys()
        )
        aliases[_private(name)] = list(others)
    return {network: {"aliases": names} if names else {} for network, names in aliases.items()}


def _networks(service: Mapping[str, Any]) -> Mapping[str, Any]:
    networks: Mapping[str, Any] = service.get("networks") or {}
    return networks


def _private(service: str) -> str:
    return f"faultbed-{service}"
