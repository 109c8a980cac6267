"""How a process fault at a failpoint is armed in a node."""

from __future__ import annotations

import pytest

from chaos.faults.processes import Kill, Pause
from chaos.planes.process import failpoint
from nodes.failpoints import Failpoint


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (
            Kill(kill="server", at="after-commit", operation=3),
            Failpoint("after-commit", client=10101, seq=3, attempt=1, act="die", fault=2),
        ),
        (
            Pause(pause="server", at="received", operation=2, attempt=2),
            Failpoint("received", client=10101, seq=2, attempt=2, act="stop", fault=2),
        ),
        (Kill(kill="server", at="before-send", nth=4), Failpoint("before-send", nth=4, fault=2)),
        (Kill(kill="server", at="before-send"), Failpoint("before-send", nth=1, fault=2)),
    ],
)
def test_a_failpoint_is_what_a_node_accepts(fault: Kill | Pause, expected: Failpoint) -> None:
    armed = failpoint(2, fault, 10101)
    assert armed is not None
    assert Failpoint(**armed) == expected


def test_a_fault_by_time_or_trigger_arms_nothing() -> None:
    assert failpoint(2, Kill(kill="server", after=20), 10101) is None
    assert Pause(pause="client", when="client gate 2").target == "client"
