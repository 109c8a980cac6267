"""Subnets and addresses of the Docker backend's networks."""

from __future__ import annotations

from ipaddress import IPv4Network
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.backends.docker.engine import Missing, Refused
from orchestrator.backends.docker.network import ATTEMPTS, create, without_way_out
from orchestrator.backends.docker.subnets import POOL, PREFIX, Addresses, free_subnets, routed

NETWORKS = st.builds(
    lambda offset, prefix: IPv4Network((int(POOL.network_address) + offset * 256, prefix), strict=False),
    st.integers(-(2**12), 2**13),
    st.integers(9, 30),
)

ROUTES = """Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT
eth0\t00000000\t010011AC\t0003\t0\t0\t0\t00000000\t0\t0\t0
tun0\t0000D00A\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0
docker0\t000011AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0
"""


@given(st.lists(NETWORKS, max_size=6), st.integers(0, 2**16))
def test_a_free_subnet_overlaps_nothing_that_is_taken(taken: list[IPv4Network], start: int) -> None:
    for subnet in islice(free_subnets(taken, start), 3):
        assert subnet.subnet_of(POOL)
        assert subnet.prefixlen == PREFIX
        assert not any(subnet.overlaps(other) for other in taken)


def test_every_free_subnet_is_offered_once_wherever_it_begins() -> None:
    every = list(free_subnets([], 1000))
    assert len(set(every)) == len(every) == 2 ** (PREFIX - POOL.prefixlen)
    assert list(free_subnets([POOL], 0)) == []


def test_routes_are_read_without_the_default_one() -> None:
    assert routed(ROUTES) == [IPv4Network("10.208.0.0/16"), IPv4Network("172.17.0.0/16")]


def test_addresses_come_in_turn_and_the_gateways_and_nobodys_never() -> None:
    addresses = Addresses(IPv4Network("10.208.0.0/29"))
    taken = [str(addresses.take()) for _ in range(4)]
    assert taken == [f"10.208.0.{n}" for n in range(2, 6)]
    assert str(addresses.nobody) == "10.208.0.6"
    with pytest.raises(LookupError, match=r"10\.208\.0\.0/29"):
        addresses.take()
    for address in addresses.subnet.hosts():
        addresses.give_back(address)
    assert [str(addresses.take()) for _ in range(2)] == ["10.208.0.2", "10.208.0.3"]
    addresses.give_back(addresses.subnet[2])
    assert str(addresses.take()) == "10.208.0.4", "what was given back last is used last"


def test_what_is_in_use_is_passed_over_in_order() -> None:
    addresses = Addresses(IPv4Network("10.208.0.0/29"))
    taken = [addresses.take() for _ in range(4)]
    for place in (3, 1):
        addresses.give_back(taken[place])
    assert [addresses.take() for _ in range(2)] == [taken[1], taken[3]]


def test_a_subnet_that_another_run_takes_meanwhile_is_passed_over() -> None:
    tried: list[IPv4Network] = []

    def attempt(subnet: IPv4Network) -> None:
        tried.append(subnet)
        if len(tried) < 3:
            raise Refused("Pool overlaps with other one on this address space")

    assert create(attempt, [], 0) == tried[2]
    assert len(set(tried)) == 3


@pytest.mark.parametrize("error", [Refused("permission denied"), Missing("no such driver")])
def test_any_other_refusal_is_told_at_once(error: Refused) -> None:
    tried = []

    def attempt(subnet: IPv4Network) -> None:
        tried.append(subnet)
        raise error

    with pytest.raises(Refused) as caught:
        create(attempt, [], 0)
    assert caught.value is error
    assert len(tried) == 1


def test_the_attempts_end_and_the_message_names_a_remedy() -> None:
    tried = []

    def attempt(subnet: IPv4Network) -> None:
        tried.append(subnet)
        raise Refused("Pool overlaps with other one")

    with pytest.raises(Refused, match="docker network prune"):
        create(attempt, [], 0)
    assert len(tried) == ATTEMPTS
    with pytest.raises(Refused, match="every subnet"):
        create(attempt, [POOL], 0)


def test_a_network_with_groups_is_no_internal_one_and_its_default_route_leads_to_nobody() -> None:
    addresses = Addresses(IPv4Network("10.208.0.0/22"))
    internal, with_groups = (without_way_out(addresses, groups) for groups in (False, True))
    assert (internal["internal"], internal["options"]) == (True, None)
    assert internal["ipam"]["Config"] == [
        {"Subnet": "10.208.0.0/22", "Gateway": "10.208.0.1", "IPRange": None, "AuxiliaryAddresses": None}
    ]
    assert (with_groups["internal"], with_groups["options"]) == (
        False,
        {"com.docker.network.bridge.enable_ip_masquerade": "false"},
    )
    (pool,) = with_groups["ipam"]["Config"]
    assert pool["AuxiliaryAddresses"] == {"DefaultGatewayIPv4": "10.208.3.254"}
