"""Which tests must not run side by side under pytest-xdist (`make test`), and in what order the others are given out.

A mark xdist_group("NAME") keeps tests in one worker, one after another: ALONE, and those that share costly runs. Each
file of scenarios/ is such a group, unless its tests say that they are of others.
"""

from __future__ import annotations

import pytest

ALONE = pytest.mark.xdist_group("alone")
"""For what looks at, or takes away, what any killed run left, at the engine or on the machine; so does every run in
containers when it begins. Who asks for `docker_engine` has this mark."""
FOLDERS = ("scenarios", "integration", "conformance", "unit")
"""From long to short, so that the workers end together."""


def add_group(item: pytest.Item) -> None:
    """What a test need not say itself."""
    if "docker_engine" in getattr(item, "fixturenames", ()):
        item.add_marker(ALONE)
    elif "scenarios" in item.path.parts and item.get_closest_marker("xdist_group") is None:
        item.add_marker(pytest.mark.xdist_group(item.path.stem))


def order(item: pytest.Item) -> int:
    mark = item.get_closest_marker("xdist_group")
    if mark is not None and mark.args == ALONE.args:
        return 0
    return next((n for n, folder in enumerate(FOLDERS, 1) if folder in item.path.parts), 0)
