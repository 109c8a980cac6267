"""What runs have left in the engine: found by label, removed, and shown to be gone. Sources of trouble that are met:

a paused container that cannot be removed on some engines, and networks that remember endpoints after a parallel
removal; both are tried again, endpoints first, until the engine has nothing left or `PATIENCE` has passed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from typing import Any, NamedTuple

import docker

from orchestrator.backends.backend import Swept
from orchestrator.backends.docker.engine import EngineError, Missing, Refused, answering, asking
from orchestrator.backends.docker.labels import RUN, Owner, builder, owner
from orchestrator.backends.leftovers import alive, place
from orchestrator.backends.threads import workers
from orchestrator.run.session import SessionError

CONTAINER, IMAGE, VOLUME, NETWORK = KINDS = ("container", "image", "volume", "network")
"""In the order in which they can be removed: each may be held by those before it."""
PATIENCE = 30.0
PAUSE = 0.1
AT_ONCE = 8
"""What the engine is asked for side by side: more would only wait for one another in it."""


class Thing(NamedTuple):
    """What was made for a run, of one of KINDS. `id` is what the engine knows it by."""

    kind: str
    id: str
    name: str
    owner: Owner

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"

    def told(self) -> str:
        """With whose it is."""
        return f"{self} of run {self.owner.run}, whose orchestrator {self.owner.orchestrator} is gone"


def things(client: docker.DockerClient, run: str | None = None, *labels: str) -> list[Thing]:
    """What the engine has of one run, or of every run: the residue check; with more `labels`, what has them too.

    Raises EngineError.
    """
    label = {"label": [RUN if run is None else f"{RUN}={run}", *labels]}
    with asking("list what runs have left"):
        api = client.api
        containers = api.containers(all=True, filters=label)
        volumes = api.volumes(filters=label)["Volumes"] or []
        networks = api.networks(filters=label)
        images = api.images(filters=label)
    found = [_thing(CONTAINER, one["Id"], one["Names"][0].lstrip("/"), one) for one in containers]
    found += [_thing(VOLUME, one["Name"], one["Name"], one) for one in volumes]
    found += [_thing(NETWORK, one["Id"], one["Name"], one) for one in networks]
    found += [_thing(IMAGE, name, name, one) for one in images for name in one.get("RepoTags") or ()]
    return [thing for thing in found if thing is not None and (thing.kind != IMAGE or _run_named(thing))]


def _run_named(image: Thing) -> bool:
    """An image inherits the labels of what it was made from: only by its name is it a run's, and not a user's own."""
    return image.name.startswith(image_prefix(image.owner.run))


def image_prefix(run: str) -> str:
    """What the names of the images begin with that a run builds."""
    return f"faultbed-{run}-"


def abandoned(client: docker.DockerClient) -> list[Thing]:
    """Those whose orchestrator is gone. Another place's are left alone: who lives there cannot be seen from here."""
    here = ("", place())
    return [thing for thing in things(client) if thing.owner.place in here and not alive(thing.owner.orchestrator)]


def sweep(client: docker.DockerClient) -> tuple[list[Thing], list[Thing]]:
    """Remove what is abandoned, until the engine shows no more of it -> (removed, what would not go)."""
    removed: list[Thing] = []
    with workers(AT_ONCE, "removing what runs have left") as pool:
        while found := abandoned(client):  # the engine may still be at what it was last asked for
            if left := remove(client, found, pool):
                return [*removed, *(thing for thing in found if thing not in left)], left
            removed += found
    return removed, []


def _thing(kind: str, id: str, name: str, listed: dict[str, Any]) -> Thing | None:
    whose = (builder if kind == IMAGE else owner)(listed.get("Labels") or {})
    return None if whose is None else Thing(kind, id, name, whose)


def remove_all(client: docker.DockerClient, run: str, pool: Executor, *labels: str) -> None:
    """Remove whatever the engine still has of a run, and of that what has `labels` too.

    Raises SessionError, with the remedy, if anything is left.
    """
    try:
        left = remove(client, things(client, run, *labels), pool)
    except EngineError as error:
        raise SessionError(f"{error}; run `faultbed clean` when it does, to remove what is left of this run") from None
    if left:
        names = ", ".join(str(thing) for thing in left)
        raise SessionError(f"the Docker engine did not remove {names}; run `faultbed clean`")


def remove(
    client: docker.DockerClient, found: Sequence[Thing], pool: Executor, patience: float = PATIENCE
) -> list[Thing]:
    """Remove these, kind by kind -> those that the engine still has after `patience` seconds. Raises Gone."""
    deadline = time.monotonic() + patience
    left: list[Thing] = []
    for kind in KINDS:
        mine = [thing for thing in found if thing.kind == kind]
        while mine:
            mine = [thing for thing in pool.map(lambda thing: _removed(client, thing), mine) if thing is not None]
            if mine and time.monotonic() > deadline:
                break
            if mine:
                time.sleep(PAUSE)  # the engine is at it; it has no way to tell when it is done
        left += mine
    return left


def swept() -> Swept:
    """As `sweep`, at the engine that is there. Raises SessionError: it cannot be asked."""
    try:
        client = answering()
        try:
            removed, left = sweep(client)
        finally:
            client.close()
    except SessionError as error:
        raise SessionError(f"not looked for at a Docker engine: {error}") from error
    return Swept([f"removed {one.told()}" for one in removed], [f"could not remove {one.told()}" for one in left])


def _removed(client: docker.DockerClient, thing: Thing) -> Thing | None:
    """-> None once it is gone."""
    try:
        _REMOVE[thing.kind](client, thing)
    except Missing:
        return None
    except Refused:
        return thing
    return None


def _remove_container(client: docker.DockerClient, thing: Thing) -> None:
    try:
        with asking(f"remove {thing}"):
            client.api.remove_container(thing.id, force=True, v=True)  # with the volumes that have no name
    except Missing:
        raise
    except Refused:
        with asking(f"let {thing} go"):
            client.api.unpause(thing.id)
        raise


def _remove_image(client: docker.DockerClient, thing: Thing) -> None:
    """Its name, and what has no other."""
    with asking(f"remove {thing}"):
        client.api.remove_image(thing.id)


def _remove_volume(client: docker.DockerClient, thing: Thing) -> None:
    with asking(f"remove {thing}"):
        client.api.remove_volume(thing.id)


def _remove_network(client: docker.DockerClient, thing: Thing) -> None:
    try:
        with asking(f"remove {thing}"):
            client.api.remove_network(thing.id)
    except Missing:
        raise
    except Refused:
        _detach(client, thing)
        raise


def _detach(client: docker.DockerClient, thing: Thing) -> None:
    """Take every endpoint off it, those of containers that are gone too."""
    with asking(f"look at {thing}"):
        endpoints = client.api.inspect_network(thing.id).get("Containers") or {}
    for container, endpoint in endpoints.items():
        for known_as in (container, endpoint.get("Name")):
            try:
                with asking(f"take {known_as} off {thing}"):
                    client.api.disconnect_container_from_network(known_as, thing.id, force=True)
            except Refused:
                continue


_REMOVE: dict[str, Callable[[docker.DockerClient, Thing], None]] = {
    CONTAINER: _remove_container,
    IMAGE: _remove_image,
    VOLUME: _remove_volume,
    NETWORK: _remove_network,
}
