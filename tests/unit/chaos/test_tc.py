"""What traffic control is told, and what its listings say."""

from __future__ import annotations

import json
import platform
import subprocess
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaos.faults.packets import Netem, Shape
from chaos.faults.paths import Rate
from chaos.identity import Direction
from chaos.planes.packet import tc
from chaos.planes.packet.mechanism import Flow

LINK = "client -> server"
UDP = Flow(LINK, "udp", "client", "server", 7000)
ETH = tc.Device("eth0", 1500)
MATCH = "match ip dst 10.0.0.2/32 match ip protocol 17 0xff match ip dport 7000 0xffff"


def netem(**values: Any) -> str:
    """The words that follow "netem limit N"."""
    fault = Netem(link=LINK, netem=Shape(**values))
    line = tc.install(0, ETH, fault, MATCH, None).splitlines()[1]
    return line.partition(" limit 100000 ")[2]


@pytest.mark.parametrize(
    ("shape", "words"),
    [
        ({"delay": 100}, "delay 100ms"),
        ({"delay": 100, "jitter": 20}, "delay 100ms 20ms"),
        ({"delay": 100, "jitter": 20, "delay_correlation": 0.25}, "delay 100ms 20ms 25%"),
        ({"delay": 100, "jitter": 20, "distribution": "normal"}, "delay 100ms 20ms distribution normal"),
        ({"delay": 100, "jitter": 20, "distribution": "uniform"}, "delay 100ms 20ms"),
        ({"loss": 0.1}, "loss random 10%"),
        ({"loss": 0.001, "loss_correlation": 0.5}, "loss random 0.1% 50%"),
        ({"duplicate": 1.0}, "duplicate 100%"),
        ({"delay": 10, "reorder": 0.25}, "delay 10ms reorder 25%"),
        ({"corrupt": 0.333}, "corrupt 33.3%"),
        ({"bytes_per_second": 5000}, "rate 5000bps"),
        ({"delay": 5, "loss": 0.5, "bytes_per_second": 9}, "delay 5ms loss random 50% rate 9bps"),
    ],
)
def test_each_of_netem_s_effects(shape: dict[str, Any], words: str) -> None:
    assert netem(**shape) == words


def test_a_rule_from_its_class_to_its_end() -> None:
    fault = Netem(link=LINK, netem=Shape(loss=0.5))
    assert tc.install(11, ETH, fault, MATCH, 42) == (
        "class add dev eth0 parent f: classid f:c htb rate 100gbit quantum 200000\n"
        "qdisc add dev eth0 parent f:c handle 100b: netem limit 100000 loss random 50% seed 42\n"
        f"filter add dev eth0 parent f: protocol ip pref 12 u32 {MATCH} flowid f:c\n"
    )
    assert tc.withdraw(11, "eth0") == "filter delete dev eth0 parent f: protocol ip pref 12\n"
    assert tc.remove(11, "eth0") == "class delete dev eth0 classid f:c\n"


def test_the_root_is_added_and_ours_alone_is_removed() -> None:
    assert tc.root("net") == "qdisc add dev net root handle f: htb default 0\n"
    assert tc.remove_root("net") == "qdisc delete dev net root handle f:\n"


@pytest.mark.parametrize(
    ("rate", "mtu", "burst"), [(100, 1500, 1514), (5000, 1500, 1514), (1_000_000, 1500, 10_000), (100, 9000, 9014)]
)
def test_a_bucket_holds_a_whole_packet_and_a_tick_s_worth(rate: int, mtu: int, burst: int) -> None:
    fault = Rate(link=LINK, rate="request", bytes_per_second=rate)
    text = tc.install(0, tc.Device("eth0", mtu), fault, MATCH, None)
    assert f" tbf rate {rate}bps burst {burst} limit 67108864\n" in text


@pytest.mark.parametrize(
    ("transport", "direction", "expected"),
    [
        ("udp", "request", MATCH),
        ("udp", "reply", "match ip dst 10.0.0.2/32 match ip protocol 17 0xff match ip sport 7000 0xffff"),
        ("tcp", "request", "match ip dst 10.0.0.2/32 match ip protocol 6 0xff match ip dport 7000 0xffff"),
    ],
)
def test_packets_are_known_by_receiver_protocol_and_port(transport: str, direction: Direction, expected: str) -> None:
    assert tc.match(UDP._replace(transport=transport), direction, "10.0.0.2") == expected


def test_directions() -> None:
    assert tc.directions(Netem(link=LINK, netem=Shape(loss=1))) == ("request", "reply")
    assert tc.directions(Netem(link=LINK, netem=Shape(loss=1), of="reply")) == ("reply",)
    assert tc.directions(Rate(link=LINK, rate="request", bytes_per_second=1)) == ("request",)


def test_it_is_asked_for_its_version_and_told_line_by_line() -> None:
    assert (tc.VERSION, tc.BATCH) == (("tc", "-V"), ("tc", "-batch", "-"))


def test_the_kernel_is_asked_for_its_release() -> None:
    assert subprocess.run(tc.RELEASE, capture_output=True, text=True).stdout == f"{platform.release()}\n"


@pytest.mark.parametrize(
    ("version", "release", "takes"),
    [
        ("tc utility, iproute2-6.1.0, libbpf 1.1.2", "6.18.44", False),
        ("tc utility, iproute2-6.6.0", "6.6.1-amd64", True),
        ("tc utility, iproute2-6.15.0, libbpf 1.5.0", "6.5.0-14-generic\n", False),
        ("tc utility, iproute2-7.0.0", "7.1", True),
        ("tc utility, iproute2-ss190708", "5.4.0", False),
    ],
)
def test_netem_takes_a_seed_where_both_are_new_enough(version: str, release: str, takes: bool) -> None:
    assert tc.takes_seed(version, release) is takes


@given(st.integers(0, (1 << 64) - 1), st.integers(0, 50), st.sampled_from(["request", "reply"]))
def test_seeds_fit_and_differ(seed: int, index: int, direction: Direction) -> None:
    chosen = tc.seed_of(seed, index, direction)
    assert 0 <= chosen < 1 << 64
    others = {tc.seed_of(seed + 1, index, direction), tc.seed_of(seed, index + 1, direction)}
    others.add(tc.seed_of(seed, index, "reply" if direction == "request" else "request"))
    assert chosen not in others


def test_a_seed_is_the_same_everywhere() -> None:
    assert tc.seed_of(7, 0, "request") == 2538209740333290096


def qdisc(**values: Any) -> dict[str, Any]:
    return {"kind": "netem", "bytes": 300, "packets": 3, "drops": 2, "backlog": 80, "qlen": 1, **values}


def test_what_a_listing_says() -> None:
    listing = json.dumps(
        [
            qdisc(kind="htb", handle="f:", root=True),
            qdisc(handle="1000:", parent="f:1"),
            qdisc(handle="100b:", parent="f:c", drops=0, qlen=0),
            qdisc(kind="fq_codel", handle="8001:", parent="1:2"),
        ]
    )
    assert tc.show("eth1") == ("tc", "-s", "-j", "qdisc", "show", "dev", "eth1")
    assert tc.has_root(listing)
    assert tc.leaves(listing) == {0: tc.Leaf(3, 300, 2, 1), 11: tc.Leaf(3, 300, 0, 0)}


@pytest.mark.parametrize("root", [{"handle": "8001:", "root": True}, {"handle": "f:", "parent": "1:2"}])
def test_another_root_is_not_ours(root: dict[str, Any]) -> None:
    assert not tc.has_root(json.dumps([qdisc(kind="htb", **root)]))


def test_the_way_to_a_receiver() -> None:
    assert tc.route("10.0.0.2") == ("ip", "-j", "-4", "route", "get", "10.0.0.2")
    assert tc.link("eth1") == ("ip", "-j", "link", "show", "dev", "eth1")
    routes = '[{"dst":"10.0.0.2","dev":"eth1","prefsrc":"10.0.0.3","flags":[],"uid":0,"cache":[]}]'
    assert tc.device_name(routes) == "eth1"
    assert tc.device('[{"ifindex":7,"ifname":"eth1","flags":["UP"],"mtu":1500,"qdisc":"noqueue"}]') == ETH._replace(
        name="eth1"
    )


def test_which_line_failed() -> None:
    text = tc.root("eth0") + tc.withdraw(0, "eth0")
    assert tc.failed_line("Error: Specified qdisc kind is unknown.\nCommand failed -:1", text) + "\n" == tc.root("eth0")
    assert tc.failed_line("Killed", text) == text.strip()


@pytest.mark.parametrize(
    "fault", [Rate(link=LINK, rate="request", bytes_per_second=100), Netem(link=LINK, netem=Shape(loss=0.5))]
)
def test_a_fault_names_the_discipline_that_performs_it(fault: Rate | Netem) -> None:
    assert f" handle 100b: {fault.discipline} " in tc.install(11, ETH, fault, MATCH, 42)
