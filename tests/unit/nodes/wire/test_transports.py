"""The transports' rows, and that the table of call semantics is asked over each of them."""

from __future__ import annotations

import socket

import pytest

from nodes.wire.transports import LINKS, STREAMS, TRANSPORTS
from orchestrator.scenario.plan import load
from orchestrator.scenario.shipped import find


@pytest.mark.parametrize("name", LINKS)
def test_a_row_has_the_number_that_the_system_knows(name: str) -> None:
    assert TRANSPORTS[name].number == getattr(socket, f"IPPROTO_{name.upper()}")


def test_links_are_of_the_internet_and_bytes_come_over_a_connection_alone() -> None:
    assert (LINKS, STREAMS) == (("udp", "tcp"), ("tcp",))
    assert all(row.connected and row.ordered for row in TRANSPORTS.values() if not row.bounded)


@pytest.mark.parametrize("row", ["01-request-lost", "09-crash-after-commit"])
def test_the_table_is_asked_over_every_transport(row: str) -> None:
    """tests/scenarios/test_rpc_table.py runs it: the contract of a transport."""
    cells = load(find(f"rpc/{row}")[0]).cells
    assert {link.transport for cell in cells for link in cell.links} == set(LINKS)
