"""What a project builds: under which names, and how often."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import yaml

from orchestrator.backends.compose.builds import Builds, images, recipe
from orchestrator.backends.docker.labels import BUILDER, RUN, Owner
from orchestrator.backends.docker.leftovers import image_prefix
from orchestrator.run.session import SessionError

OWNER = Owner("r", "1:1.0", "here")


def project(keys: str = "a") -> dict[str, Any]:
    return {
        "services": {
            "shop": {"build": {"context": "/x", "args": {"KEYS": keys}, "tags": ["shop:v1"]}, "image": "shop:latest"},
            "worker": {"image": "shop:latest"},
            "job": {"build": {"context": "/x/job"}},
            "redis": {"image": "redis:7"},
        }
    }


def test_images_are_the_runs_own_also_for_who_uses_what_another_service_builds() -> None:
    made = images(project(), "r", False)
    assert set(made) == {"shop", "worker", "job"}
    assert made["worker"] == made["shop"] != made["job"]
    assert all(image.startswith(image_prefix("r")) for image in made.values())


@pytest.mark.parametrize("image", ["shop", "docker.io/library/shop:latest", "library/shop", "shop:v1"])
def test_a_name_may_be_written_in_several_ways_and_be_given_as_a_tag(image: str) -> None:
    """Else the service would run what the user has under that name, which may be of yesterday."""
    services = {**project()["services"], "worker": {"image": image}}
    made = images({"services": services}, "r", False)
    assert made.get("worker") == made["shop"]


@pytest.mark.parametrize("image", ["shop:v2", "here:5000/shop", "here:5000/shop:latest", "shop@sha256:00", "me/shop"])
def test_another_name_is_another_image(image: str) -> None:
    services = {**project()["services"], "worker": {"image": image}}
    assert "worker" not in images({"services": services}, "r", False)


def test_the_same_build_is_the_same_image_and_another_another() -> None:
    assert images(project("a"), "r", False) == images(project("a"), "r", False)
    assert images(project("a"), "r", False)["shop"] != images(project("b"), "r", False)["shop"]
    assert images(project("a"), "r", False)["shop"] != images(project("a"), "r", True)["shop"]


def test_the_recipe_labels_and_gives_none_of_the_users_names() -> None:
    text = recipe(project(), images(project(), "r", False), OWNER, False)
    assert "tags: !reset" in text
    assert "cache_to: !reset" in text
    assert "pull: !reset" in text, "the classic builder would move the names that it begins with"
    services = yaml.safe_load(text.replace("!reset", ""))["services"]
    assert set(services) == {"shop", "job"}
    assert services["shop"]["build"]["labels"] == OWNER.of_image()


def test_what_is_kept_has_nobody_who_would_remove_it() -> None:
    text = recipe(project(), images(project(), "r", True), OWNER, True)
    assert RUN in text
    assert BUILDER not in text


class Stub:
    """Stands for Compose; `checked` can end it."""

    def __init__(self, error: str | None = None) -> None:
        self.built: list[str] = []
        self.aborted = False
        self.error = error
        self.proceed = threading.Event()
        self.proceed.set()

    def with_only(self, file: Path) -> Stub:
        return self

    def check(self) -> None:
        if self.aborted:
            raise SessionError("the run was ended")

    def run(self, what: str, seconds: float, *arguments: str) -> str:
        self.built += arguments[1:]
        self.proceed.wait()
        if self.error is not None:
            raise SessionError(self.error)
        return ""


def ensure(builds: Builds, compose: Any, **wanted: str) -> None:
    builds.ensure(compose, Path("recipe"), wanted, 60)


def test_cells_side_by_side_build_once_each_image() -> None:
    builds, compose = Builds(), Stub()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: ensure(builds, compose, shop="i1", job="i2"), range(20)))
    ensure(builds, compose, shop="i3")
    assert compose.built == ["shop", "job", "shop"]


def test_what_failed_fails_at_once_the_next_time() -> None:
    builds, compose = Builds(), Stub("no such file")
    for _ in range(2):
        with pytest.raises(SessionError, match="no such file"):
            ensure(builds, compose, shop="i1")
    assert compose.built == ["shop"]


def test_one_that_was_ended_has_not_failed_for_others() -> None:
    builds, ended, other = Builds(), Stub("terminated"), Stub()
    ended.proceed.clear()
    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(ensure, builds, ended, shop="i1")
        while not ended.built:
            pass
        ended.aborted = True
        ended.proceed.set()
        with pytest.raises(SessionError, match="ended"):
            future.result()
    ensure(builds, other, shop="i1")
    assert other.built == ["shop"]


def test_one_that_waits_for_anothers_build_can_be_ended() -> None:
    builds, slow, waiting = Builds(), Stub(), Stub()
    slow.proceed.clear()
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(ensure, builds, slow, shop="i1")
        while not slow.built:
            pass
        second = pool.submit(ensure, builds, waiting, shop="i1")
        waiting.aborted = True
        with pytest.raises(SessionError, match="ended"):
            second.result()
        slow.proceed.set()
        first.result()
