"""In the simulator time alone does not pass: whoever waits in vain there is slow by its plan, or by its own making."""

from __future__ import annotations

from typing import Any

import pytest
from history_builder import CLIENT, Run, cell

from chaos.faults.fault import Fault
from chaos.faults.messages import Corrupt, Slice
from chaos.faults.processes import Pause
from nodes.wire.header import Status
from orchestrator.checkers.bites.bite import bite
from orchestrator.checkers.bites.punctual import punctual
from orchestrator.checkers.setting import Setting
from orchestrator.history.index import Index
from orchestrator.history.merged import History
from orchestrator.scenario.cell import Cell

LINK = "client -> server"
FIRST = (CLIENT, 1)


def made(transport: str = "udp", yields: int = 0, outstanding: int = 1, connection: str = "new") -> Cell:
    drawn = cell()
    link = drawn.links[0].model_copy(update={"transport": transport})
    retry = drawn.clients["client"].retry.model_copy(update={"connection": connection})
    calling = drawn.clients["client"].model_copy(update={"outstanding": outstanding, "retry": retry})
    nodes = {"server": drawn.servers["server"].model_copy(update={"yields": yields}), "client": calling}
    return drawn.model_copy(update={"links": (link,), "nodes": nodes})


def history(evidence: str = "sim") -> History:
    """The first call's reply comes after its wait."""
    run = Run().invoke(1).send(1, wait=60_000_000).run(1).wait(60)
    run.send(1, 2, wait=60_000_000).reply(1, 1, 1).ok(1, 1).receive(1, 2).answer(1, 2, 1, Status.CACHED)
    return run.healed(2).history()._replace(evidence=evidence)


def told(of: Cell, evidence: str = "sim") -> tuple[bool, str]:
    """-> (whether the first call is late, what is unexplained about it)."""
    found = bite(Setting(of, Index(history(evidence))))
    return FIRST in found.late, found.unexplained.get(FIRST, "")


def test_who_waits_in_vain_is_late_on_real_machines_and_unexplained_in_the_simulator() -> None:
    assert told(made(), "real") == (True, "")
    assert told(made()) == (False, "its wait passed without a reply, where nothing takes time")


def test_a_slow_server_makes_late() -> None:
    """A tenth of what its client waits at least: 60 ms, or a fifth less by chance; or what it waits at most."""
    assert punctual(made(yields=4), history())
    assert not punctual(made(yields=5), history())
    assert told(made(yields=5)) == (True, "")


@pytest.mark.parametrize("retry", [{"maximum": 9}, {"jitter": 0.9}, {"first": 9}])
def test_who_hardly_waits_is_late_by_that(retry: dict[str, Any]) -> None:
    hasty = made().clients["client"].retry.model_copy(update=retry)
    client = made().clients["client"].model_copy(update={"retry": hasty})
    cell = made().model_copy(update={"nodes": {**made().nodes, "client": client}})
    assert told(cell) == (True, "")


def test_who_was_told_that_its_server_is_busy_waits_for_it() -> None:
    run = Run().invoke(1).send(1, wait=60_000_000).receive(1).answer(1, 1, None, Status.BUSY)
    run.reply(1, 1, None, Status.BUSY).wait(60).send(1, 2, wait=60_000_000).run(1, 2).reply(1, 2, 1).ok(1, 1)
    found = bite(Setting(made(), Index(run.healed(2).history()._replace(evidence="sim"))))
    assert (FIRST in found.late, dict(found.unexplained)) == (True, {})


@pytest.mark.parametrize(
    ("options", "alone"),
    [
        ({"transport": "tcp"}, True),
        ({"outstanding": 2}, True),
        ({"transport": "tcp", "outstanding": 2}, False),
        ({"transport": "tcp", "outstanding": 2, "connection": "same"}, True),
    ],
)
def test_so_does_who_ends_the_connection_of_several_calls(options: dict[str, Any], alone: bool) -> None:
    assert punctual(made(**options), history()) is alone


@pytest.mark.parametrize(
    "fault",
    [
        Slice(slice="request", link=LINK, size=9, gap=1),
        Pause(pause="server", at="received", nth=1),
        Corrupt(corrupt="reply", link=LINK),
    ],
)
def test_and_what_holds_up_others_than_those_it_meets(fault: Fault) -> None:
    assert not punctual(made().model_copy(update={"faults": (fault,)}), history())
