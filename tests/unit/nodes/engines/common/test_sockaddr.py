"""Addresses as the kernel writes them: what is encoded is decoded, and the kernel takes it for the same address."""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nodes.engines.common import sockaddr
from nodes.wire.addresses import IPv4, IPv6, UnixPath

PORTS = st.integers(0, 65535)


NAMES = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=90)


@given(st.ip_addresses(v=4), PORTS)
def test_an_ipv4_address_is_decoded_as_it_was_encoded(host: object, port: int) -> None:
    address = IPv4(str(host), port)
    assert sockaddr.decode(sockaddr.encode(address) + bytes(100)) == address


@given(st.ip_addresses(v=6), PORTS, st.integers(0, (1 << 20) - 1), st.integers(0, (1 << 32) - 1))
def test_an_ipv6_address_is_decoded_as_it_was_encoded(host: object, port: int, flow: int, scope: int) -> None:
    text = socket.inet_ntop(socket.AF_INET6, socket.inet_pton(socket.AF_INET6, str(host)))
    address = IPv6(text, port, flow, scope)
    assert sockaddr.decode(sockaddr.encode(address) + bytes(100)) == address


@given(NAMES)
def test_a_path_is_decoded_as_it_was_encoded(name: str) -> None:
    address = UnixPath(name)
    assert sockaddr.decode(sockaddr.encode(address)) == sockaddr.decode(sockaddr.encode(address) + bytes(20)) == address


@given(NAMES | st.just(""), st.integers(0, 17))
def test_a_name_in_no_file_system_has_all_its_zero_bytes(name: str, zeros: int) -> None:
    address = UnixPath("\0" + name + "\0" * zeros)
    assert sockaddr.decode(sockaddr.encode(address)) == address


@pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="this system's Python has no Unix domain sockets")
def test_nobodys_address_is_no_path() -> None:
    """The kernel says its family, or nothing at all."""
    assert sockaddr.decode(struct.pack("=H", socket.AF_UNIX)) == sockaddr.decode(b"") == UnixPath("")


def test_a_name_is_looked_up_and_no_host_is_any() -> None:
    assert sockaddr.decode(sockaddr.encode(IPv4("localhost", 7))) == IPv4("127.0.0.1", 7)
    assert sockaddr.decode(sockaddr.encode(IPv4("", 7))) == IPv4("0.0.0.0", 7)


def test_a_name_that_nobody_has_is_an_error() -> None:
    with pytest.raises(OSError):
        sockaddr.encode(IPv4("no such name", 7))


@pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="this system's Python has no Unix domain sockets")
@pytest.mark.parametrize(("start", "longest"), [("/", 107), ("\0", 108)])
def test_a_path_has_as_much_room_as_pythons_sockets_give_it(start: str, longest: int) -> None:
    for length, fits in ((longest, True), (longest + 1, False)):
        path = start + "x" * (length - 1)
        assert ("too long" in _refusal(partial(sockaddr.encode, UnixPath(path)))) is not fits
        with socket.socket(socket.AF_UNIX) as raw:
            assert ("too long" in _refusal(partial(raw.connect, path))) is not fits


def _refusal(attempt: Callable[[], object]) -> str:
    try:
        attempt()
    except OSError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("address", [IPv4("127.0.0.1", 65_536), IPv4("127.0.0.1", -1), IPv6("::1", 70_000)])
def test_a_port_that_is_none_is_an_error(address: IPv4 | IPv6) -> None:
    with pytest.raises(OverflowError):
        sockaddr.encode(address)
