"""A subnet for a cell's network: private, and nobody else's."""

from __future__ import annotations

import json
from ipaddress import IPv4Network
from itertools import islice

from hypothesis import given
from hypothesis import strategies as st

from orchestrator.backends.local.switch import Owner
from orchestrator.backends.subnets import POOLS, PREFIX, free, routed

subnets = st.builds(
    lambda address, prefix: IPv4Network((address, prefix), strict=False),
    st.integers(0, (1 << 32) - 1),
    st.integers(9, 32),
)


@given(st.lists(subnets, max_size=8), st.integers(0, 1 << 16))
def test_what_is_offered_is_private_and_free(taken: list[IPv4Network], start: int) -> None:
    for subnet in islice(free(taken, start), 3):
        assert subnet.prefixlen == PREFIX
        assert any(subnet.subnet_of(pool) for pool in POOLS)
        assert not any(subnet.overlaps(other) for other in taken)


def test_all_are_offered_once_wherever_one_begins() -> None:
    everything = {subnet for pool in POOLS for subnet in pool.subnets(new_prefix=PREFIX)}
    offered = list(free([], 12345))
    assert len(offered) == len(everything)
    assert set(offered) == everything
    assert offered[0] != next(free([], 12346))


def test_where_a_pool_is_taken_whole_the_next_one_serves() -> None:
    assert next(free([POOLS[0]], 0)).subnet_of(POOLS[1])
    assert list(free(POOLS, 0)) == []


def test_routes_are_read_without_the_default() -> None:
    listing = json.dumps(
        [
            {"dst": "default", "gateway": "10.9.0.1", "dev": "eth0", "flags": []},
            {"dst": "10.9.0.0/16", "dev": "eth0", "protocol": "kernel", "scope": "link", "flags": []},
            {"type": "local", "dst": "10.9.3.4", "dev": "eth0", "table": "local", "flags": []},
        ]
    )
    assert routed(listing) == [IPv4Network("10.9.0.0/16"), IPv4Network("10.9.3.4/32")]


@given(st.integers(1, 10**9))
def test_an_interface_s_name_has_at_most_fifteen_characters(number: int) -> None:
    assert len(Owner("01234567", "0123456789abcdef", "1:2.5", number).interface) <= 15
