"""Removal from an engine that is slow, or forgets: until it has nothing left, and what it keeps is told."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests
from docker.errors import APIError, NotFound

from orchestrator.backends.docker import leftovers
from orchestrator.backends.docker.labels import ORCHESTRATOR, PLACE, RUN, Owner, builder, owner
from orchestrator.backends.docker.leftovers import (
    CONTAINER,
    IMAGE,
    NETWORK,
    VOLUME,
    Thing,
    abandoned,
    image_prefix,
    remove,
    remove_all,
    sweep,
    things,
)
from orchestrator.backends.leftovers import place

OWNER = Owner("run1", "1:2.0", place())


class Engine:
    """Stands for the engine's API. A paused container is not removed, nor a network with endpoints."""

    def __init__(self) -> None:
        self.api = self
        self.there: dict[tuple[str, str], dict[str, str]] = {}
        self.paused: set[str] = set()
        self.endpoints: dict[str, list[str]] = {}
        self.asked: list[str] = []

    def has(self, kind: str, name: str, owner: Owner = OWNER) -> Thing:
        self.there[kind, name] = owner.of_image() if kind == IMAGE else owner.labels()
        return Thing(kind, name, name, owner)

    def _remove(self, kind: str, name: str) -> None:
        self.asked.append(name)
        if (kind, name) not in self.there:
            raise NotFound("no", requests.Response(), f"no such {kind}")
        if name in self.paused or self.endpoints.get(name):
            raise APIError("no", requests.Response(), "it is paused, or has active endpoints")
        del self.there[kind, name]

    def remove_container(self, name: str, force: bool, v: bool) -> None:
        assert v, "its volumes without a name go with it"
        self._remove(CONTAINER, name)

    def remove_image(self, name: str) -> None:
        self._remove(IMAGE, name)

    def remove_volume(self, name: str) -> None:
        self._remove(VOLUME, name)

    def remove_network(self, name: str) -> None:
        self._remove(NETWORK, name)

    def unpause(self, name: str) -> None:
        self.paused.discard(name)

    def inspect_network(self, name: str) -> dict[str, Any]:
        return {"Containers": {f"id of {end}": {"Name": end} for end in self.endpoints.get(name, [])}}

    def disconnect_container_from_network(self, container: str, network: str, force: bool) -> None:
        if container not in self.endpoints[network]:
            raise NotFound("no", requests.Response(), "no such container")
        self.endpoints[network].remove(container)

    def _listed(self, wanted: str, filters: dict[str, list[str]]) -> list[dict[str, Any]]:
        asked = [label.partition("=")[::2] for label in filters["label"]]
        return [
            {"Id": name, "Name": name, "Names": [f"/{name}"], "RepoTags": [name], "Labels": labels}
            for (kind, name), labels in self.there.items()
            if kind == wanted and all(key in labels and value in ("", labels[key]) for key, value in asked)
        ]

    def containers(self, all: bool, filters: dict[str, list[str]]) -> list[dict[str, Any]]:
        return self._listed(CONTAINER, filters)

    def volumes(self, filters: dict[str, list[str]]) -> dict[str, Any]:
        return {"Volumes": self._listed(VOLUME, filters)}

    def images(self, filters: dict[str, list[str]]) -> list[dict[str, Any]]:
        return self._listed(IMAGE, filters)

    def networks(self, filters: dict[str, list[str]]) -> list[dict[str, Any]]:
        return self._listed(NETWORK, filters)


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(2) as pool:
        yield pool


def test_a_paused_container_and_a_network_with_an_endpoint_go_too(pool: ThreadPoolExecutor) -> None:
    engine: Any = Engine()
    found = [engine.has(NETWORK, "net"), engine.has(CONTAINER, "one"), engine.has(VOLUME, "data")]
    engine.paused.add("one")
    engine.endpoints["net"] = ["ghost"]
    assert remove(engine, found, pool) == []
    assert engine.there == {}
    assert engine.asked == ["one", "one", "data", "net", "net"], "each is held by those before it"


def test_an_image_goes_after_its_containers_and_only_one_that_is_named_as_the_runs(pool: ThreadPoolExecutor) -> None:
    """What a user makes of an image inherits its labels, and is the user's."""
    engine: Any = Engine()
    built = image_prefix(OWNER.run) + "0123:latest"
    engine.has(IMAGE, built)
    engine.has(IMAGE, "users:latest")
    engine.has(CONTAINER, "one")
    remove_all(engine, OWNER.run, pool)
    assert engine.asked == ["one", built]
    assert set(engine.there) == {(IMAGE, "users:latest")}
    assert things(engine) == []


def test_of_a_run_what_has_another_label_too(pool: ThreadPoolExecutor) -> None:
    engine: Any = Engine()
    for name, more in (("one", {"project": "p"}), ("two", {"project": "q"}), ("three", {})):
        engine.there[VOLUME, name] = {**OWNER.labels(), **more}
    engine.there[VOLUME, "the user's"] = {"project": "p"}
    remove_all(engine, OWNER.run, pool, "project=p")
    assert engine.asked == ["one"]


def test_a_users_container_of_an_image_that_a_run_built_is_the_users(monkeypatch: pytest.MonkeyPatch) -> None:
    """It inherits the labels of its image."""
    engine: Any = Engine()
    monkeypatch.setattr(leftovers, "alive", lambda orchestrator: False)
    engine.there[CONTAINER, "debugging"] = OWNER.of_image()
    assert sweep(engine) == ([], [])
    assert set(engine.there) == {(CONTAINER, "debugging")}


def test_what_is_gone_already_is_gone(pool: ThreadPoolExecutor) -> None:
    assert remove(Engine(), [Thing(VOLUME, "x", "x", OWNER)], pool) == []  # type: ignore[arg-type]


def test_what_the_engine_keeps_is_told(pool: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch) -> None:
    engine: Any = Engine()
    kept = engine.has(CONTAINER, "kept")
    engine.paused.add("kept")
    monkeypatch.setattr(engine, "unpause", lambda name: None)
    assert remove(engine, [kept], pool, patience=0) == [kept]


def test_only_what_is_abandoned_here_is_swept(monkeypatch: pytest.MonkeyPatch) -> None:
    engine: Any = Engine()
    living = OWNER._replace(run="run2", orchestrator="7:7.0")
    elsewhere = OWNER._replace(run="run3", place="another host")
    monkeypatch.setattr(leftovers, "alive", lambda orchestrator: orchestrator == living.orchestrator)
    mine = engine.has(CONTAINER, "mine")
    engine.has(CONTAINER, "living", living)
    engine.has(NETWORK, "elsewhere", elsewhere)
    engine.there[VOLUME, "somebody's"] = {}
    assert abandoned(engine) == [mine]
    assert sweep(engine) == ([mine], [])
    assert {name for _, name in engine.there} == {"living", "elsewhere", "somebody's"}


def test_what_appears_meanwhile_is_swept_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    """The engine may still be making what it was last asked for."""
    engine: Any = Engine()
    monkeypatch.setattr(leftovers, "alive", lambda orchestrator: False)
    first = engine.has(CONTAINER, "first")
    original = engine.remove_container

    def removing(name: str, force: bool, v: bool) -> None:
        original(name, force, v)
        if name == "first":
            engine.has(CONTAINER, "late")

    monkeypatch.setattr(engine, "remove_container", removing)
    removed, left = sweep(engine)
    assert [thing.name for thing in removed] == [first.name, "late"]
    assert left == []
    assert engine.there == {}


def test_labels_say_whose_it_is() -> None:
    assert owner(OWNER.labels()) == OWNER
    assert owner({RUN: "x", ORCHESTRATOR: "1:1"}) == Owner("x", "1:1", "")
    assert owner({PLACE: "x"}) is None
    assert builder(OWNER.of_image()) == OWNER
    assert builder(OWNER.labels()) is None
    assert builder({RUN: "x"}) is None, "one that is kept"
