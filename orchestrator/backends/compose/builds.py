"""What a project builds: once for all cells and repeats of a command, under names of the run's own, never the user's.

The images are the run's: labelled with it, removed at its end, found by `faultbed clean`; or kept, if the scenario
asks for that. What differs in how it is built (an argument that the matrix sets) is another image.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

from orchestrator.backends.compose.compose import SHORTEST, Compose
from orchestrator.backends.compose.tags import Reset, text
from orchestrator.backends.docker.labels import RUN, Owner
from orchestrator.backends.docker.leftovers import image_prefix
from orchestrator.run.session import SessionError

HERE = 12
"""Hexadecimal digits that tell the images of one run apart."""
UNTAGGED = {"tags": Reset(), "cache_to": Reset(), "pull": Reset()}
"""What building would write beside the image: names and caches of the user's, and the names of what it begins with."""
USUAL = ("docker.io/", "library/")
"""What a name may begin with and means the same without."""
PAUSE = 0.1
"""Seconds between two looks at whether a cell that waits for another's build is ended."""


def images(project: Mapping[str, Any], run: str, keep: bool) -> dict[str, str]:
    """PURE: service -> the image of the run's that it is started from, for those that the file builds.

    One that has no `build`, but as its image a name that another one's `build` gives, means what that one builds.
    """
    services: Mapping[str, Mapping[str, Any]] = project["services"]
    found = {name: _name(one, run, keep) for name, one in services.items() if "build" in one}
    known_as = {_in_full(known): image for name, image in found.items() for known in _given(services[name])}
    wanted = {name: _in_full(one.get("image", "")) for name, one in services.items()}
    same = {name: known_as[image] for name, image in wanted.items() if image in known_as}
    return {**same, **found}


def _given(service: Mapping[str, Any]) -> list[str]:
    """The names that the user's own build gives."""
    return [*(service["build"].get("tags") or ()), *([service["image"]] if "image" in service else [])]


def _in_full(image: str) -> str:
    """A name as the engine understands it: "shop" is "shop:latest", and so is "docker.io/library/shop"."""
    for usual in USUAL:
        image = image.removeprefix(usual)
    return image if ":" in image.rpartition("/")[2] or "@" in image else f"{image}:latest"


def _name(service: Mapping[str, Any], run: str, keep: bool) -> str:
    how = json.dumps([service["build"], service.get("platform"), keep], sort_keys=True)
    return image_prefix(run) + sha256(how.encode()).hexdigest()[:HERE]


def recipe(project: Mapping[str, Any], made: Mapping[str, str], owner: Owner, keep: bool) -> str:
    """PURE: the file that is laid over the user's for building."""
    labels = {RUN: owner.run} if keep else owner.of_image()
    services = {
        name: {"image": made[name], "build": {"labels": labels, **UNTAGGED}}
        for name, one in project["services"].items()
        if "build" in one
    }
    return text({"services": services})


class Builds:
    """Those of one command, shared by cells in several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._outcomes: dict[str, str | None] = {}

    def ensure(self, compose: Compose, recipe: Path, wanted: Mapping[str, str], seconds: float) -> None:
        """Build what no cell has yet of `wanted`, service -> image. Raises SessionError, also if it failed before."""
        while not self._lock.acquire(timeout=PAUSE):
            compose.check()
        try:
            todo = {image: service for service, image in wanted.items() if image not in self._outcomes}
            if todo:
                self._build(compose, recipe, todo, seconds)
            for image in wanted.values():
                if (problem := self._outcomes[image]) is not None:
                    raise SessionError(problem)
        finally:
            self._lock.release()

    def _build(self, compose: Compose, recipe: Path, todo: Mapping[str, str], seconds: float) -> None:
        problem = None
        try:
            what = f"building {', '.join(todo.values())} (system.start caps it)"
            compose.with_only(recipe).run(what, max(seconds, SHORTEST), "build", *todo.values())
        except SessionError as error:
            compose.check()  # one that was ended has not failed
            problem = str(error)
        self._outcomes |= dict.fromkeys(todo, problem)
