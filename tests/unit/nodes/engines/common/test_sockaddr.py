"""Addresses as the kernel writes them: what is encoded is decoded, and the kernel takes it for the same address."""

from __future__ import annotations

import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nodes.engines.common import sockaddr

PORTS = st.integers(0, 65535)


@given(st.ip_addresses(v=4) | st.ip_addresses(v=6), PORTS)
def test_what_is_encoded_is_decoded(host: object, port: int) -> None:
    kind = socket.AF_INET6 if ":" in str(host) else socket.AF_INET
    text = socket.inet_ntop(kind, socket.inet_pton(kind, str(host)))
    assert sockaddr.decode(sockaddr.encode((text, port)) + bytes(100)) == (text, port)


def test_a_name_is_looked_up_and_no_host_is_any() -> None:
    assert sockaddr.decode(sockaddr.encode(("localhost", 7))) == ("127.0.0.1", 7)
    assert sockaddr.decode(sockaddr.encode(("", 7))) == ("0.0.0.0", 7)


def test_a_name_that_nobody_has_is_an_error() -> None:
    with pytest.raises(OSError):
        sockaddr.encode(("no such name", 7))
