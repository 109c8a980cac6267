"""Addresses are values: told apart by their kind, and written down as they always were."""

from __future__ import annotations

import pytest

from nodes.wire.addresses import Address, Group, Internet, IPv4, IPv6, UnixPath, group, internet, read, written


@pytest.mark.parametrize(
    ("address", "text", "record"),
    [
        (IPv4("127.0.0.1", 80), "127.0.0.1:80", ["127.0.0.1", 80]),
        (IPv6("::1", 80, 0, 2), "[::1]:80", ["::1", 80]),
        (Group("239.0.0.1", 80, "127.0.0.1"), "239.0.0.1:80 at 127.0.0.1", ["239.0.0.1", 80]),
        (UnixPath("/run/a"), "/run/a", ["/run/a"]),
        (UnixPath("\0a"), "@a", ["\0a"]),
    ],
)
def test_an_address_says_where_it_is(address: Address, text: str, record: list[object]) -> None:
    assert str(address) == text
    assert written(address) == record


def test_a_group_is_one_of_the_organizations_by_its_number() -> None:
    """239.192.0.0/14 (RFC 2365)."""
    assert group(0, 7, "127.0.0.1") == Group("239.192.0.0", 7, "127.0.0.1")
    assert group(2**18 - 1, 7, "127.0.0.1").host == "239.195.255.255"
    assert group(2**63 + 0x20102, 7, "127.0.0.1").host == "239.194.1.2"


def test_a_literal_with_colons_is_of_the_sixth_version_and_a_name_is_not() -> None:
    assert internet("::1", 7) == IPv6("::1", 7)
    assert [internet(host, 7) for host in ("10.0.0.1", "server")] == [IPv4("10.0.0.1", 7), IPv4("server", 7)]


@pytest.mark.parametrize("address", [IPv4("127.0.0.1", 7), IPv6("::1", 7), UnixPath("/a/path"), UnixPath("\0name")])
def test_what_was_written_is_read(address: Internet | UnixPath) -> None:
    assert read(written(address)) == address


def test_datagrams_come_from_beside_a_path_and_else_from_a_name_that_the_system_gives() -> None:
    assert UnixPath("/sockets/1-0").beside("65537-2") == UnixPath("/sockets/1-0-65537-2")
    assert UnixPath("\0somebody").beside("65537-2") == UnixPath("")
