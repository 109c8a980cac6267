"""Of each configuration with one value altered the same is said as was, and nothing else is raised."""

from __future__ import annotations

import pytest
from configured import GIVEN, stored, told


@pytest.mark.parametrize("plane", GIVEN)
def test_the_same_is_said_of_altered_configurations(plane: str) -> None:
    assert told(plane) == stored()[plane], "if that is meant: make stored"
