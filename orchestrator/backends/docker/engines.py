"""Which engines can run in containers of an image, asked in one: what is installed there decides, and seccomp."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import docker

from chaos.problem import Problem
from nodes.engines import NAMES, offer
from orchestrator.backends.docker.engine import asking, connect
from orchestrator.backends.docker.image import check_image
from orchestrator.backends.docker.labels import Owner
from orchestrator.backends.docker.specification import confinement
from orchestrator.backends.leftovers import orchestrator_id, place
from orchestrator.scenario.cell import NO_LIMITS, Cell

ASKED = tuple(name for name in NAMES if not offer(name).everywhere)
ASK = (
    "import faultbed, json, sys; sys.path.insert(0, faultbed.PARTS); from nodes.engines import availability; "
    "print(json.dumps({name: availability(name) for name in sys.argv[1:]}))"
)


def unavailable(image: str, seccomp: str | None) -> Mapping[str, str | None]:
    """Engine -> why it cannot run in this image's containers, None if it can. Raises EngineError, SessionError."""
    client = connect()
    try:
        check_image(client, image)
        return _asked(client, image, seccomp)
    finally:
        client.close()


def _asked(client: docker.DockerClient, image: str, seccomp: str | None) -> Mapping[str, str | None]:
    owner = Owner(secrets.token_hex(8), orchestrator_id(), place())
    wanted: dict[str, Any] = confinement(NO_LIMITS, "none", seccomp)
    with asking(f"run {image} to ask which engines it has"):
        told = client.containers.run(
            image, ["-I", "-c", ASK, *ASKED], entrypoint="python3", remove=True, labels=owner.labels(), **wanted
        )
    answer: Mapping[str, str | None] = json.loads(told)
    return answer


def problems(image: str, told: Callable[[], Mapping[str, str | None]], cell: Cell) -> Iterator[Problem]:
    """Engines of its nodes that cannot run there. It is asked only where a cell has one that not every image has."""
    for name, node in (cell.servers | cell.clients).items():
        if node.engine in ASKED and (reason := told()[node.engine]) is not None:
            message = (
                f"engine {node.engine} cannot run in containers of {image}: {reason}; --seccomp gives nodes another"
            )
            yield Problem(("nodes", name, "engine"), f"{message} seccomp profile, and --backend local needs none")
