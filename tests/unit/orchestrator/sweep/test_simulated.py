"""Every shipped scenario comes to the same in the simulator as it did: verdicts, counts, and what is said of them."""

from __future__ import annotations

import pytest
from requirements import ALL
from simulated import FILES, Kept, names, shipped, stored, told

MEANT = "if that is meant: make stored"
TOLD = [
    (kind, name) for kind in FILES for place, name in enumerate(stored(kind)) if ALL or kind is told or place % 3 == 0
]


@pytest.mark.parametrize("kind", FILES)
def test_every_scenario_that_can_be_simulated_is_stored(kind: Kept) -> None:
    assert list(stored(kind)) == names(kind), MEANT


@pytest.mark.parametrize(("kind", "name"), TOLD)
def test_a_simulated_scenario_comes_to_what_it_came_to(kind: Kept, name: str) -> None:
    assert kind(shipped()[name]) == stored(kind)[name], MEANT
