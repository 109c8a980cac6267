"""Wherever a row is reached the verdict is the same on this machine's processes, in containers and on agents."""

from __future__ import annotations

from pathlib import Path

import pytest
import suite
from groups import ALONE
from requirements import need, need_root
from suite import Ran

from orchestrator.backends.attach.inventory import load
from orchestrator.scenario.cell import Cell
from orchestrator.scenario.shipped import plans

pytestmark = [ALONE, pytest.mark.timeout(600)]

CHOSEN = {
    "rpc/02-reply-lost": {"codec": "xdr"},
    "rpc/09-crash-after-commit": {"codec": "msgpack"},
    "rpc/11-history-lost": {"codec": "msgpack", "transport": "udp"},
    "containers/02-reply-lost-timeout": {},
    "containers/07b-cut-before-reply-toxiproxy": {"toxic": "limit_data"},
    "containers/13a-partition-request-packets": {},
    "sockets/split-and-joined": {"direction": "request"},
    "sockets/message-lost": {"protocol": "datagrams"},
    "sockets/datagram-repeated": {"direction": "request"},
    "sockets/datagram-reordered": {"direction": "request"},
    "sockets/multicast-receiver-misses": {"direction": "request", "missed": "one"},
    "sockets/multicast-receiver-dies": {"via": "direct"},
    "sockets/unix-server-dies": {"transport": "unix-datagram"},
}
"""Scenario -> axis values: a row by each plane, and messages on sockets."""
SEMANTICS = ("at-most-once", "exactly-once")
OF_PACKETS = "containers/13a-partition-request-packets"


def chosen(*without: str) -> list[Cell]:
    return [
        suite.unhurried(cell)
        for scenario, axes in CHOSEN.items()
        if scenario not in without
        for cell in suite.applicable(plans([scenario]))
        if axes.items() <= cell.axes.items() and cell.axes.get("semantics", SEMANTICS[0]) in SEMANTICS
    ]


@pytest.fixture(scope="module")
def local() -> list[Ran]:
    need("toxiproxy-server", "toxiproxy")
    need("nft", "netfilter")
    need_root()
    return suite.run(chosen(), "local")


def verdicts(ran: list[Ran]) -> dict[str, dict[str, str]]:
    """What is said of each cell's properties and expectations."""
    return {
        suite.name(one.result.cell): {
            found.name: str(found.verdict)
            for found in (*one.result.judgement.properties, *one.result.judgement.expectations)
        }
        for one in ran
        if one.result.judgement is not None
    }


def outcomes(ran: list[Ran]) -> dict[str, set[tuple[str, int]]]:
    """What the bitten operations came to; of these semantics all are exact."""
    return {
        suite.name(one.result.cell): {(found.client, found.executions) for found in one.result.judgement.outcomes}
        for one in ran
        if one.result.judgement is not None
    }


@pytest.mark.usefixtures("node_image")
def test_containers_come_to_the_same_verdicts_as_processes(local: list[Ran], toxiproxy_image: str) -> None:
    ran = suite.run(chosen(), "docker", {"toxiproxy_image": toxiproxy_image})
    assert suite.not_met(ran) == []
    assert verdicts(ran) == verdicts(local)
    assert outcomes(ran) == outcomes(local)


def test_several_loops_and_processes_are_one_node_on_agents(inventory: Path) -> None:
    cells = [suite.unhurried(suite.applicable(plans([f"engines/{name}"]))[0]) for name in ("workers", "forked")]
    ran = suite.run(cells, "attach", {"inventory": load(inventory)})
    assert suite.not_met(ran) == []


def test_agents_come_to_the_same_verdicts_as_processes(local: list[Ran], inventory: Path) -> None:
    cells = chosen(OF_PACKETS)
    ran = suite.run(cells, "attach", {"inventory": load(inventory)})
    names = {suite.name(cell) for cell in cells}
    assert suite.not_met(ran) == []
    assert verdicts(ran) == {name: found for name, found in verdicts(local).items() if name in names}
    assert outcomes(ran) == {name: found for name, found in outcomes(local).items() if name in names}
