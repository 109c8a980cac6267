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


KINDS = {
    "udp": socket.SOCK_DGRAM,
    "tcp": socket.SOCK_STREAM,
    "multicast": socket.SOCK_DGRAM,
    "unix-stream": socket.SOCK_STREAM,
    "unix-datagram": socket.SOCK_DGRAM,
    "unix-seqpacket": socket.SOCK_SEQPACKET,
}


@pytest.mark.parametrize("name", TRANSPORTS)
def test_a_row_says_what_its_kind_of_socket_is(name: str) -> None:
    row, kind = TRANSPORTS[name], KINDS[name]
    assert row.connected is (kind is not socket.SOCK_DGRAM)
    assert row.bounded is (kind is not socket.SOCK_STREAM)
    assert row.ordered is (row.connected or row.address == "path")
    family = socket.AF_UNIX if row.address == "path" else socket.AF_INET
    socket.socket(family, kind, row.number).close()


def test_links_are_of_the_internet_and_bytes_come_over_a_connection_alone() -> None:
    assert (LINKS, STREAMS) == (("udp", "tcp"), ("tcp",))
    assert all(row.connected and row.ordered for row in TRANSPORTS.values() if not row.bounded)


@pytest.mark.parametrize("row", ["01-request-lost", "09-crash-after-commit"])
def test_the_table_is_asked_over_every_transport(row: str) -> None:
    """tests/scenarios/test_rpc_table.py runs it: the contract of a transport."""
    cells = load(find(f"rpc/{row}")[0]).cells
    assert {link.transport for cell in cells for link in cell.links} == set(LINKS)
