"""Of each scenario with one value altered the same is said as was: which are refused, why, and where."""

from __future__ import annotations

import pytest
from altered import FAULTS, WHOLE, stored, told
from requirements import ALL


@pytest.mark.parametrize("name", [*WHOLE, *FAULTS[:: 1 if ALL else 3]])
def test_the_same_is_said_of_altered_scenarios(name: str) -> None:
    assert told(name) == stored()[name], "if that is meant: make stored"
