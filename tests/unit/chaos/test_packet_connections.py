"""A kernel's list of TCP connections is read."""

from __future__ import annotations

import sys

from hypothesis import given
from hypothesis import strategies as st

from chaos.planes.packet.connections import Peer, peers

HEAD = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
REST = "00000000:00000000 00:00000000 00000000     0        0 20171 1 0000000000000000 100 0 0 10 0\n"
CLIENTS = st.tuples(st.ip_addresses(v=4).map(str), st.integers(1, 65535))


def hexadecimal(address: str, port: int) -> str:
    packed = bytes(int(part) for part in address.split("."))
    return f"{int.from_bytes(packed, sys.byteorder):08X}:{port:04X}"


def row(local: tuple[str, int], remote: tuple[str, int], state: str = "01") -> str:
    return f"   0: {hexadecimal(*local)} {hexadecimal(*remote)} {state} {REST}"


SERVER = ("10.0.0.1", 7000)


def test_a_line_as_a_little_endian_machine_prints_it() -> None:
    assert hexadecimal("127.0.0.1", 8080) == ("0100007F:1F90" if sys.byteorder == "little" else "7F000001:1F90")


@given(st.sets(CLIENTS, max_size=6))
def test_every_peer_is_found_in_order(clients: set[tuple[str, int]]) -> None:
    found = peers(HEAD + "".join(row(SERVER, client) for client in clients), *SERVER)
    assert {tuple(peer) for peer in found} == clients
    assert found == sorted(found, key=lambda peer: ([int(part) for part in peer.address.split(".")], peer.port))


def test_listeners_closed_ones_and_other_servers_are_left_out() -> None:
    one = ("10.0.0.2", 40000)
    listing = HEAD + row(SERVER, ("0.0.0.0", 0), "0A") + row(SERVER, ("10.0.0.2", 41000), "06")
    listing += row(("10.0.0.1", 7001), ("10.0.0.2", 42000)) + row(one, SERVER) + row(SERVER, one)
    assert peers(listing, *SERVER) == [Peer(*one)]
