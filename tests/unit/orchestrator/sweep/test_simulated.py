"""Every shipped scenario comes to the same in the simulator as it did: verdicts, counts, and what is said of them."""

from __future__ import annotations

import pytest
import simulated
from simulated import shipped, stored, told


def test_every_scenario_that_can_be_simulated_is_stored() -> None:
    assert list(stored()) == list(shipped())


@pytest.mark.parametrize("name", stored())
def test_a_simulated_scenario_comes_to_what_it_came_to(name: str) -> None:
    assert told(name, shipped()[name]) == stored()[name], f"if that is meant: python {simulated.__file__}"
