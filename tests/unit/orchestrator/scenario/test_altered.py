"""Of each scenario with one value altered the same is said as was: which are refused, why, and where."""

from __future__ import annotations

import pytest
from altered import FAULTS, WHOLE, stored, told


@pytest.mark.parametrize("name", [*WHOLE, *FAULTS])
def test_the_same_is_said_of_altered_scenarios(name: str) -> None:
    assert told(name) == stored()[name], "if that is meant: make stored"
