"""PURE: the file that is laid over a user's compose file, whose own text is never touched.

A service behind a link (an *upstream*) moves to a private network of its own, and the proxy takes over its name on
the networks where it was. The proxy is in the private network too, under the names of the other upstreams, so that
what the service calls in its turn goes through its own links. Services that it depends on (`depends_on`) and that are
behind no link join the private network as well; whoever else may call the upstream stays outside and meets the proxy.
A dependency that the user's file does not declare is then not found, which is seen at once; were everybody let in, a
caller could miss the proxy unseen.

What the file names absolutely is made the run's own (private.py), and what it builds is built beforehand (builds.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from orchestrator.backends.compose.private import SERVICE, network, volume
from orchestrator.backends.compose.tags import Override, Reset
from orchestrator.scenario.system import PROXY

Labels = Mapping[str, str]
Services = Mapping[str, Mapping[str, Any]]


class Behind(NamedTuple):
    """An upstream, and the services of which links say that they call it."""

    service: str
    callers: frozenset[str]


def override(
    project: Mapping[str, Any],
    behind: Iterable[Behind],
    proxy: Mapping[str, Any],
    labels: Labels,
    images: Mapping[str, str],
) -> dict[str, Any]:
    """`project` is what `docker compose config` says, of which nothing is to be refused; `proxy` says how the proxy's
    container is run, `images` from which image each service is whose own must not be used."""
    services: Services = project["services"]
    upstreams = {one.service: one for one in behind}
    found: dict[str, Any] = {name: _service(name, services, upstreams, labels, images) for name in services}
    found[PROXY] = {**proxy, "restart": "no", "labels": dict(labels), "networks": _of_proxy(services, upstreams)}
    name = project["name"]
    networks = {key: {**network(name, key), "labels": dict(labels)} for key in project.get("networks") or {}}
    networks |= {private(key): {"labels": dict(labels)} for key in upstreams}
    volumes = {key: {**volume(name, key), "labels": dict(labels)} for key in project.get("volumes") or {}}
    return {"services": found, "networks": networks, **({"volumes": volumes} if volumes else {})}


def _service(
    name: str,
    services: Services,
    upstreams: Mapping[str, Behind],
    labels: Labels,
    images: Mapping[str, str],
) -> dict[str, Any]:
    service = services[name]
    changed: dict[str, Any] = {**SERVICE, "labels": Override(dict(labels)), **_image(service, images.get(name))}
    if others := [link for link in _links(service) if link.service in upstreams]:
        changed["links"] = Override([link.text for link in _links(service) if link not in others])
    if "network_mode" in service:
        return changed
    if name in upstreams:
        changed["networks"] = Override({private(name): {}})
        return changed
    joined = [one.service for one in upstreams.values() if _serves(name, one, services)]
    if joined:
        changed["networks"] = {key: {} for key in (*_networks(service), *map(private, joined))}
    return changed


def _image(service: Mapping[str, Any], built: str | None) -> dict[str, Any]:
    if built is not None:
        return {"image": built, "build": Reset(), "pull_policy": "never"}
    if service.get("pull_policy", "never") == "never":
        return {}
    return {"pull_policy": "missing"}  # to pull anew would give the user's own tag another image


class _Link(NamedTuple):
    """A name of its own for another service, by the file's `links`: "redis:cache"."""

    text: str
    service: str
    alias: str


def _links(service: Mapping[str, Any]) -> list[_Link]:
    split = [(text, *text.partition(":")[::2]) for text in service.get("links") or ()]
    return [_Link(text, name, alias or name) for text, name, alias in split]


def _serves(name: str, upstream: Behind, services: Services) -> bool:
    """Whether the upstream depends on it, and it does not call the upstream in its turn."""
    return name in (services[upstream.service].get("depends_on") or {}) and name not in upstream.callers


def _of_proxy(services: Services, upstreams: Mapping[str, Behind]) -> dict[str, Any]:
    aliases: dict[str, list[str]] = {}
    for name in upstreams:
        for key, config in _networks(services[name]).items():
            known_as = [name, *((config or {}).get("aliases") or ()), *_called(name, services)]
            aliases.setdefault(key, []).extend(known_as)
    for name in upstreams:
        others = (
            other
            for other in upstreams
            if other != name and _networks(services[name]).keys() & _networks(services[other]).keys()
        )
        aliases[private(name)] = list(others)
    return {key: {"aliases": names} if names else {} for key, names in aliases.items()}


def _called(name: str, services: Services) -> list[str]:
    """What others call it by their links."""
    found = [link.alias for service in services.values() for link in _links(service) if link.service == name]
    return sorted(set(found) - {name})


def _networks(service: Mapping[str, Any]) -> Mapping[str, Any]:
    networks: Mapping[str, Any] = service.get("networks") or {}
    return networks


def private(service: str) -> str:
    """The network in which a service behind a link is."""
    return f"faultbed-{service}"
