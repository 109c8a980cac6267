"""Traffic control on the machine's own kernel, by the token bucket that every one has: what is shaped, what is not."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from packet_rig import LINK, Rig
from requirements import need, need_root
from switched import Switched

from chaos.faults.packets import Netem, Shape
from chaos.faults.paths import Rate
from chaos.planes.packet import availability, tc
from chaos.rules import BadConfiguration

SIZE = 1000
FRAME = SIZE + 42
"""Bytes of a datagram as the kernel counts them: with the headers of UDP, IPv4 and Ethernet."""
BURST = 1514
FAST = 20_000
SLOW = 10
"""Bytes a second: the first packet passes, as a burst, and the next would need minutes. Nobody waits for them."""
MANY = 5
"""Packets of which all but the first wait where it is slow."""


@pytest.fixture
def switched() -> Iterator[Switched]:
    need_root()
    need("tc", "netem")
    with ExitStack() as stack:
        yield Switched(stack, "server", "client", "other")


class Ends:
    """A server, its client, and another client."""

    def __init__(self, switched: Switched) -> None:
        self.server, self.client, self.other = (
            switched.socket(node, socket.SOCK_DGRAM) for node in ("server", "client", "other")
        )

    def send(self, sender: socket.socket, count: int, receiver: socket.socket | None = None) -> None:
        for _ in range(count):
            sender.sendto(bytes(SIZE), (receiver or self.server).getsockname())

    def arrivals(self, count: int, receiver: socket.socket | None = None) -> list[tuple[str, float]]:
        """(sender's address, seconds) of the next ones."""
        arrived = []
        for _ in range(count):
            _, (address, _) = (receiver or self.server).recvfrom(SIZE)
            arrived.append((address, time.monotonic()))
        return arrived


def rate(direction: Any, bytes_per_second: int) -> Rate:
    return Rate(link=LINK, rate=direction, bytes_per_second=bytes_per_second)


def qdiscs(switched: Switched, node: str) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = json.loads(switched.run(node, "tc", "-j", "qdisc", "show", "dev", "net"))
    return listed


def took(arrived: list[tuple[str, float]]) -> float:
    return arrived[-1][1] - arrived[0][1]


@pytest.mark.parametrize("direction", ["request", "reply"])
def test_packets_of_one_direction_pass_at_the_rate(switched: Switched, direction: str) -> None:
    ends = Ends(switched)
    rig = Rig(switched, ends.server, rate(direction, FAST))
    rig.switch(True)
    sender, receiver = (ends.client, ends.server) if direction == "request" else (ends.server, ends.client)
    ends.send(sender, 10, receiver)
    assert took(ends.arrivals(10, receiver)) >= (9 * FRAME - BURST) / FAST
    rig.switch(False)
    assert rig.counted() == {(LINK, direction): 10}


def test_who_is_on_no_link_overtakes_what_waits(switched: Switched) -> None:
    ends = Ends(switched)
    rig = Rig(switched, ends.server, rate("request", SLOW))
    rig.switch(True)
    ends.send(ends.client, MANY)
    ends.send(ends.other, 5)
    arrived = [address for address, _ in ends.arrivals(6)]
    assert arrived.count(switched.addresses["other"]) == 5
    assert leaves(switched)[0].waiting > 0


def test_the_same_sender_s_other_packets_overtake_too(switched: Switched) -> None:
    """Such as those of its control connection, or of a link to somebody else."""
    ends = Ends(switched)
    rig = Rig(switched, ends.server, rate("request", SLOW))
    rig.switch(True)
    ends.send(ends.client, MANY)
    ends.send(ends.client, 5, ends.other)
    assert len(ends.arrivals(5, ends.other)) == 5
    assert leaves(switched)[0].waiting > 0


def test_what_waits_when_a_rule_goes_is_sent_yet(switched: Switched) -> None:
    ends = Ends(switched)
    rig = Rig(switched, ends.server, rate("request", SLOW))
    rig.switch(True)
    ends.send(ends.client, MANY)
    rig.switch(False)
    assert rig.counted() == {(LINK, "request"): MANY}
    assert rig.plane.obey({"type": "status"})["pending"] == MANY - 1
    hurry(switched)
    assert len(ends.arrivals(MANY)) == MANY
    assert rig.plane.obey({"type": "status"})["pending"] == 0
    rig.switch(True)
    ends.send(ends.client, 1)
    ends.arrivals(1)
    rig.switch(False)
    assert rig.counted() == {(LINK, "request"): 1}
    assert [qdisc["kind"] for qdisc in qdiscs(switched, "client")] == ["htb"]
    rig.plane.close()
    assert [qdisc["kind"] for qdisc in qdiscs(switched, "client")] == ["noqueue"]


def test_a_class_that_waited_goes_with_the_next_rule(switched: Switched) -> None:
    ends = Ends(switched)
    rig = Rig(switched, ends.server, rate("request", SLOW), rate("request", FAST))
    rig.switch(True, 0)
    ends.send(ends.client, MANY)
    rig.switch(False, 0)
    hurry(switched)
    ends.arrivals(MANY)
    assert list(leaves(switched)) == [0]
    rig.switch(True, 1)
    assert list(leaves(switched)) == [1]


def test_of_two_rules_the_first_one_that_is_on_gets_the_packets(switched: Switched) -> None:
    ends = Ends(switched)
    rig = Rig(switched, ends.server, rate("request", FAST), rate("both", 2 * FAST))
    rig.switch(True, 1)
    rig.switch(True, 0)
    ends.send(ends.client, 3)
    ends.arrivals(3)
    rig.switch(False, 0)
    ends.send(ends.client, 2)
    ends.arrivals(2)
    rig.switch(False, 1)
    counts = [
        (detail["rule"], detail["direction"], detail["packets"]) for _, detail in rig.notes if "packets" in detail
    ]
    assert counts == [(0, "request", 3), (1, "request", 2), (1, "reply", 0)]


def test_a_root_of_somebody_else_s_stays(switched: Switched) -> None:
    ends = Ends(switched)
    switched.run("client", "tc", "qdisc", "add", "dev", "net", "root", "handle", "9:", "htb")
    with pytest.raises(
        BadConfiguration, match=r"(?s)-client: .*\(qdisc add dev net root handle f: htb default 0\); .* stays"
    ):
        Rig(switched, ends.server, rate("both", FAST))
    assert [(qdisc["kind"], qdisc["handle"]) for qdisc in qdiscs(switched, "client")] == [("htb", "9:")]


def test_a_node_that_comes_back_is_shaped_again(switched: Switched) -> None:
    ends = Ends(switched)
    rig = Rig(switched, ends.server, rate("reply", FAST))
    rig.switch(True)
    upstream = {"type": "upstream", "link": LINK, "epoch": 2, "places": switched.places()}
    address = ends.server.getsockname()
    ends.server.close()
    switched.unplug("server")
    rig.plane.obey({**upstream, "address": None})
    switched.plug("server")
    assert leaves(switched, "server") == {}
    for _ in range(2):  # what is there already stays
        rig.plane.obey({**upstream, "address": list(address)})
        assert list(leaves(switched, "server")) == [0]
    rig.plane.obey({"type": "heal"})
    assert leaves(switched, "server") == {}


def test_a_rule_at_a_node_that_is_gone_comes_with_it(switched: Switched) -> None:
    ends = Ends(switched)
    rig = Rig(switched, ends.server, rate("reply", FAST))
    ends.server.close()
    switched.unplug("server")
    rig.switch(True)
    rig.switch(False)
    assert rig.counted() == {}


def test_a_kernel_without_netem_refuses_before_the_load(switched: Switched) -> None:
    ends = Ends(switched)
    fault = Netem(link=LINK, netem=Shape(delay=5))
    if availability.netem() is None:
        Rig(switched, ends.server, fault).switch(True)
        assert [qdisc["kind"] for qdisc in qdiscs(switched, "client")] == ["htb", "netem"]
        return
    with pytest.raises(BadConfiguration, match=r"(?s)kind is unknown.*\(qdisc add .* netem .* delay 5ms\); .*modprobe"):
        Rig(switched, ends.server, fault)
    assert leaves(switched) == {}


def hurry(switched: Switched) -> None:
    """Let what waits at the client for the first rule pass: another rate for its discipline."""
    (waits,) = (qdisc for qdisc in qdiscs(switched, "client") if qdisc["kind"] == "tbf")
    place = ("dev", "net", "parent", waits["parent"], "handle", waits["handle"])
    switched.run("client", "tc", "qdisc", "change", *place, "tbf", "rate", "1gbit", "burst", "100kb", "limit", "1mb")


def leaves(switched: Switched, node: str = "client") -> dict[int, tc.Leaf]:
    return tc.leaves(switched.run(node, *tc.show("net")))
