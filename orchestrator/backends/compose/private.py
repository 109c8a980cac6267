"""PURE: what a compose file names of the world outside of its project, and what becomes of it in a run.

A run stands beside whatever its user runs from the same file. So what the file names absolutely is either replaced by
something of the run's own (`SERVICE`, `network`, `volume`: parts of the override) or refused with a remedy (`REFUSED`);
with both, taking the project down removes nothing but what the run has made. What a file cannot say is not seen here:
where the environment of a service points, and what a privileged container does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

from orchestrator.backends.compose.tags import Override, Reset

# Replaced

SERVICE: Mapping[str, Any] = MappingProxyType(
    {
        "restart": "no",  # bringing back what was killed is the scenario's affair
        "ports": Reset(),
        "container_name": Reset(),
        "cgroup_parent": Reset(),
        "logging": Override({"driver": "json-file"}),  # not into the user's own log server, and here to be kept
        "deploy": {"restart_policy": Reset()},  # it counts for more than `restart`
    }
)
"""Laid over every service. Its labels go too: by them proxies, updaters and the like find who is theirs."""

BRIDGE = "com.docker.network.bridge.name"


def network(project: str, key: str) -> dict[str, Any]:
    """Laid over a network: a name, a range of addresses and an interface of its own. Only of IPv4: engines before 27
    give no range of IPv6 unless one is named."""
    name = f"{project}_{key}"
    return {"name": name, "ipam": Reset(), "enable_ipv6": False, "driver_opts": {BRIDGE: Reset()}}


def volume(project: str, key: str) -> dict[str, Any]:
    """Laid over a volume: one of its own, which begins empty."""
    return {"name": f"{project}_{key}"}


# Refused

Kind = Literal["plain", "missing", "special"]
"""What a path of this machine is: a file or folder; nothing; a socket, pipe or device, or a folder with sockets."""


class Machine(NamedTuple):
    """What of this machine matters here. `shares`: the paths that the scenario lets the run write, absolute."""

    look: Callable[[str], Kind]
    shares: frozenset[str]


Harm = Callable[[Any, Machine], str | None]
"""From a value in the file to what harm it would do; None for none."""


class Refused(NamedTuple):
    """`where` is a path in the project, "*" for every key or item."""

    where: str
    harm: Harm
    remedy: str


def _others(value: Any, machine: Machine) -> str | None:
    text = str(value)
    if text == "host":
        return "is this machine's own"
    return f"is that of {text}, which is not of this project" if text.startswith("container:") else None


def _mode(value: Any, machine: Machine) -> str | None:
    if value in ("", "none", "bridge", "default") or str(value).startswith("service:"):
        return None
    return _others(value, machine) or f"is network {value} of the engine's, which is not of this project"


def _foreign(value: Any, machine: Machine) -> str | None:
    return "belongs to a container that is not of this project" if str(value).startswith("container:") else None


def _named(why: str) -> Harm:
    return lambda value, machine: f"{value!r} {why}" if value else None


def _external(value: Any, machine: Machine) -> str | None:
    return "is external: what runs do to it, they do to what others use" if value else None


def _driver(value: Any, machine: Machine) -> str | None:
    return None if value in ("", "bridge", "default") else f"{value!r} puts containers on a network of this machine's"


def _mount(value: Any, machine: Machine) -> str | None:
    kind, source = value.get("type"), str(value.get("source", ""))
    if kind in ("npipe", "cluster"):
        return f"{source} is not the project's own"
    if kind != "bind":
        return None
    found = machine.look(source)
    if found == "missing":
        return f"{source} does not exist, and the engine would make a folder of that name"
    if source in machine.shares:
        return None
    if found == "special":
        return _access(source)
    return None if value.get("read_only") else f"{source} of this machine can be written by the run"


def _file(value: Any, machine: Machine) -> str | None:
    """Secrets and configs are mounted read-only from where they are."""
    source = str(value)
    found = machine.look(source)
    if found == "missing":
        return f"{source} does not exist"
    return _access(source) if found == "special" and source not in machine.shares else None


def _access(source: str) -> str:
    return f"{source} gives access to this machine, even where it is read-only"


def _device(value: Any, machine: Machine) -> str | None:
    source = str(value.get("source", value) if isinstance(value, Mapping) else value)
    return None if source in machine.shares else f"{source} is a device of this machine"


def _options(value: Any, machine: Machine) -> str | None:
    device = str((value or {}).get("device", ""))
    memory = value and value.get("type") == "tmpfs" and "bind" not in str(value.get("o", ""))  # mount(2): bind wins
    if not value or memory or device in machine.shares:
        return None
    return f"the volume lies at {device or value}, outside of the project"


SHARE = "allow it by name with `shares` in the scenario's system: what is written there stays there"
DECIDE = "let the file ask a variable, `external: ${EXTERNAL:-true}`, and set it to false in the scenario's environment"

REFUSED = (
    Refused("services.*.network_mode", _mode, "put the service on a network of the project"),
    Refused("services.*.pid", _others, "leave it out for the run"),
    Refused("services.*.ipc", _others, "leave it out for the run"),
    Refused("services.*.uts", _others, "leave it out for the run"),
    Refused("services.*.cgroup", _others, "leave it out for the run"),
    Refused("services.*.volumes_from.*", _foreign, "name a volume of the project in both"),
    Refused("services.*.external_links.*", _named("is a container of others"), "make it a service of the project"),
    Refused("services.*.provider.type", _named("makes things outside of the project"), "give the service an image"),
    Refused("services.*.use_api_socket", _named("gives it the engine's socket"), "leave it out for the run"),
    Refused("services.*.volumes.*", _mount, f"mount it read-only (:ro), use a volume, or {SHARE}"),
    Refused("services.*.devices.*", _device, SHARE),
    Refused(
        "services.*.networks.*.ipv4_address",
        _named("is an address of a network that the run does not use: it has one of its own"),
        "call the service by its name",
    ),
    Refused(
        "services.*.networks.*.ipv6_address",
        _named("is an address of a network that the run does not use: it has one of its own"),
        "call the service by its name",
    ),
    Refused("networks.*.external", _external, DECIDE),
    Refused("networks.*.driver", _driver, "use the driver bridge for the run"),
    Refused("volumes.*.external", _external, DECIDE),
    Refused("volumes.*.driver_opts", _options, f"use a volume without them, or {SHARE}"),
    Refused("secrets.*.external", _external, "read it from a file or from the environment"),
    Refused("configs.*.external", _external, "read it from a file, or give its content"),
    Refused("secrets.*.file", _file, f"name a file, or {SHARE}"),
    Refused("configs.*.file", _file, f"name a file, or {SHARE}"),
)


def refusals(project: Mapping[str, Any], machine: Machine) -> Iterator[str]:
    """What of the project, as `docker compose config` tells it, is not run, why not, and what to do instead."""
    for row in REFUSED:
        for path, value in _found(project, row.where.split("."), ()):
            if (harm := row.harm(value, machine)) is not None:
                yield f"{'.'.join(path)}: {harm}; {row.remedy}"


def _found(value: Any, pattern: list[str], path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    if not pattern:
        yield path, value
        return
    if isinstance(value, Mapping):
        items = [(str(key), one) for key, one in value.items() if pattern[0] in ("*", key)]
    elif isinstance(value, list) and pattern[0] == "*":
        items = [(str(index), one) for index, one in enumerate(value)]
    else:
        return
    for key, one in items:
        yield from _found(one, pattern[1:], (*path, key))
