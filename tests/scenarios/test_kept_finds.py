"""What the explorer found, and was kept: of broken variants that it convicted, and of the product, long mended."""

from __future__ import annotations

import pytest
import suite

from orchestrator.scenario.plan import Plan
from orchestrator.scenario.shipped import plans

TOO_FINE = {"answers-past-memory", "hello-resets-once"}
"""They hang on microseconds, or on hundreds of attempts in seconds: a busy machine does something else."""
FOUND = plans(["found"])


@pytest.mark.parametrize("plan", FOUND, ids=lambda plan: plan.scenario)
def test_what_was_found_is_met_in_the_simulator(plan: Plan) -> None:
    assert plan.about.startswith("Found by exploring")
    assert suite.not_met(suite.run(plan.cells, "sim")) == []


@pytest.mark.xdist_group("found")
def test_and_on_real_sockets() -> None:
    cells = [cell for plan in FOUND if plan.scenario not in TOO_FINE for cell in plan.cells]
    assert suite.not_met(suite.run(cells, "local")) == []
