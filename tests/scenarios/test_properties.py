"""A scenario of each property that it may ask for by name: what holds, and what a history that was lost violates."""

from __future__ import annotations

import pytest
import suite
from suite import Ran

from orchestrator.checkers.verdict import PropertyVerdict, Verdict
from orchestrator.scenario.shipped import plans


@pytest.fixture(params=["sim", "local"])
def ran(request: pytest.FixtureRequest) -> list[Ran]:
    return suite.run(suite.applicable(plans(["properties"])), request.param)


def staleness(one: Ran) -> PropertyVerdict:
    assert one.result.judgement is not None
    return next(found for found in one.result.judgement.properties if found.name == "staleness")


def test_unsaid_a_read_after_a_restart_is_expected_to_be_fresh_where_the_state_was_kept_alone() -> None:
    cells = suite.applicable(plans(["properties/read-after-restart"]))
    unsaid = [cell.model_copy(update={"expect": cell.expect.model_copy(update={"staleness": None})}) for cell in cells]
    ran = suite.run(unsaid, "sim")
    assert suite.not_met(ran) == []
    for one in ran:
        assert one.result.judgement is not None
        expected = "staleness" in {found.name for found in one.result.judgement.expectations}
        assert expected == (one.result.cell.axes["state"] == "keep")
    assert {one.result.cell.axes["state"] for one in ran} == {"keep", "archive"}


def test_a_read_after_a_restart_is_stale_where_the_state_was_lost_and_nowhere_else(ran: list[Ran]) -> None:
    assert suite.not_met(ran) == []
    verdicts = {suite.name(one.result.cell): (one.result.cell.axes["state"], staleness(one).verdict) for one in ran}
    assert set(verdicts.values()) == {("keep", Verdict.HOLDS), ("archive", Verdict.VIOLATED)}
    for one in ran:
        (client,) = one.result.cell.clients.values()
        assert staleness(one).counts == {"reads": client.calls // 2}
