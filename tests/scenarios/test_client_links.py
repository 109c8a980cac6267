"""A client with two links: its operations take them in turn, and a fault of one link leaves the other's alone."""

from __future__ import annotations

import pytest
import suite

from nodes.wire.record import Kind
from orchestrator.history.merged import Event
from orchestrator.report.result import Exit
from orchestrator.scenario.shipped import plans

LINKS = {1: "client -> left", 0: "client -> right"}
"""By an operation's number modulo 2."""


@pytest.mark.parametrize("backend", ["sim", "local"])
def test_one_link_is_partitioned_and_the_other_is_not(backend: str) -> None:
    for ran in suite.once(suite.applicable(plans(["faults/one-link-partitioned"])), backend):
        assert ran.result.exit_code is Exit.MET
        operations = [event for event in ran.history.events if event.seq]
        taken = {(event.seq % 2, event.detail["link"]) for event in operations if event.kind is Kind.RECEIVE}
        assert taken == set(LINKS.items())
        assert {event.node for event in operations if event.kind is Kind.COMMIT} == {"left", "right"}
        lost = [event for event in operations if event.kind is Kind.DECISION and event.detail["act"] != "pass"]
        assert lost
        assert {event.detail["link"] for event in lost} == {LINKS[1]}
        assert went_on(operations, min(event.order for event in lost))


def went_on(operations: list[Event], since: int) -> set[int]:
    """The operations over the other link that were answered when the partition had struck."""
    answered = (event for event in operations if event.kind is Kind.OK and event.order > since)
    return {event.seq for event in answered if event.seq % 2 == 0}
