"""What a process is in a container: unprivileged, with a read-only root and its evidence in a volume."""

from __future__ import annotations

from typing import Any, cast

import docker.types

from faultbed import part
from orchestrator.backends.host import PARTS, Launch, PartName
from orchestrator.scenario.cell import Limits

USER = "1000:1000"
SCRATCH = {"/tmp": "size=16m"}
PROCESSES = 4096
"""A container's processes and threads, where nothing else is asked for: 99 clients with 16 calls outstanding each have
about two thousand on the engine with threads, and what forks without end stops long before the machine does."""
MEMORY = 512 * 1024 * 1024
"""Its bytes, swap included, where nothing else is asked for: a node takes about 30 MB, and what leaks ends alone."""
BOUNDS = {"pids_limit": PROCESSES, "mem_limit": MEMORY, "memswap_limit": MEMORY}
SOCKETS = "/sockets"
"""Where the folder of Unix sockets is, in which the containers of a cell meet, where they have any."""
SOCKETS_OPTIONS = {"type": "tmpfs", "device": "tmpfs", "o": f"size=1m,uid={USER.split(':')[0]}"}
EVERYWHERE = "0.0.0.0"
"""A container's control endpoint listens on all of its addresses: they are on the run's own network."""


def specification(launch: Launch, home: str, image: str, *, sockets: bool = False) -> dict[str, Any]:
    """The part of the engine's container configuration that a process itself decides. `sockets`: it has SOCKETS."""
    name, arguments = _told(launch, home, sockets)
    return {
        "image": image,
        "entrypoint": part.command(name, "python3"),
        "command": arguments,
        "hostname": launch.name,
        "user": USER,
        "working_dir": home,
        "healthcheck": {"test": ["NONE"]},  # readiness is what the process says itself
    }


def _told(launch: Launch, home: str, sockets: bool) -> tuple[part.Name, list[str]]:
    """The part of ours that it is, and what that is told."""
    if launch.role in PARTS:
        return cast(PartName, launch.role), list(launch.arguments)
    common = ["--name", launch.name, "--home", home, "--control", EVERYWHERE]
    if launch.role != "node":
        return "chaos", [*common, "--plane", launch.role]
    engine = [] if launch.engine is None else ["--engine", launch.engine]
    paths = ["--sockets", SOCKETS] if sockets else []
    return "nodes", [*common, "--epoch", str(launch.epoch), *engine, *paths]


def confinement(limits: Limits, network: str, seccomp: str | None = None) -> dict[str, Any]:
    """What the engine holds a container to, `seccomp` a profile of ours. An init reaps, and passes signals on: Python
    as PID 1 would ignore them."""
    profile = [] if seccomp is None else [f"seccomp={seccomp}"]
    wanted: dict[str, Any] = {
        "network_mode": network,
        "init": True,
        "cap_drop": ["ALL"],
        "security_opt": ["no-new-privileges", *profile],
        "read_only": True,
        "tmpfs": SCRATCH,
        **BOUNDS,
    }
    if limits.cpus is not None:
        wanted["nano_cpus"] = int(limits.cpus * 1_000_000_000)
    if limits.memory is not None:
        wanted |= {"mem_limit": limits.memory, "memswap_limit": limits.memory}
    if limits.processes is not None:
        wanted["pids_limit"] = limits.processes
    if limits.files is not None:
        wanted["ulimits"] = [docker.types.Ulimit(name="nofile", soft=limits.files, hard=limits.files)]
    return wanted
