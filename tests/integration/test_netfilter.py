"""The packet plane on the machine's own kernel: each fault bites real packets, is counted, and heals."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from packet_rig import COUNT, LINK, Datagrams, Rig
from requirements import need_root
from running import until
from switched import Switched

from chaos.faults.packets import Blackhole, Loss, Reject, Split
from chaos.faults.paths import Partition
from chaos.planes.packet import availability
from chaos.planes.packet.plane import PacketPlane
from chaos.rules import BadConfiguration

NODES = ("server", "client", "other")


@pytest.fixture
def switched() -> Iterator[Switched]:
    need_root()
    if reason := availability.netfilter():
        pytest.skip(f"netfilter: {reason}")
    with ExitStack() as stack:
        yield Switched(stack, *NODES)


ALL = list(range(1, COUNT + 1))


@pytest.mark.parametrize(
    ("partition", "asked", "answered"), [("request", [], ALL), ("reply", ALL, []), ("both", [], [])]
)
def test_a_partition_is_one_way_or_both(
    switched: Switched, partition: Any, asked: list[int], answered: list[int]
) -> None:
    udp = Datagrams(switched)
    rig = Rig(switched, udp.server, Partition(link=LINK, partition=partition))
    assert (udp.asked(), udp.answered()) == (ALL, ALL)
    rig.switch(True)
    assert (udp.asked(), udp.answered()) == (asked, answered)
    assert udp.through(udp.other, udp.server, "server") == ALL  # from elsewhere, such as the control connection
    rig.switch(False)
    assert (udp.asked(), udp.answered()) == (ALL, ALL)
    lost = {"request": COUNT - len(asked), "reply": COUNT - len(answered)}
    assert rig.counted() == {(LINK, direction): n for direction, n in lost.items() if n}
    assert rig.switches() == [True, False]


def test_every_third_packet_is_lost_in_each_direction(switched: Switched) -> None:
    udp = Datagrams(switched)
    rig = Rig(switched, udp.server, Loss(link=LINK, loss="both", every=3))
    rig.switch(True)
    expected = [number for number in ALL if number % 3]
    assert (udp.asked(), udp.answered()) == (expected, expected)
    rig.plane.obey({"type": "heal"})
    assert rig.counted() == {(LINK, "request"): COUNT // 3, (LINK, "reply"): COUNT // 3}
    assert udp.asked() == ALL


def test_loss_by_chance_is_counted_packet_by_packet(switched: Switched) -> None:
    udp = Datagrams(switched)
    rig = Rig(switched, udp.server, Loss(link=LINK, loss="request", probability=0.5))
    rig.switch(True)
    lost = sum(COUNT - len(udp.asked()) for _ in range(20))
    rig.switch(False)
    assert 0 < lost < 20 * COUNT
    assert rig.counted() == {(LINK, "request"): lost}


def test_a_rule_counts_anew_each_time(switched: Switched) -> None:
    udp = Datagrams(switched)
    rig = Rig(switched, udp.server, Partition(link=LINK, partition="request"))
    for count in (2, 5, 0):
        rig.switch(True)
        udp.asked(count)
        rig.switch(False)
        assert rig.counted() == {(LINK, "request"): count}


def test_rules_come_and_go_beside_one_another(switched: Switched) -> None:
    udp = Datagrams(switched)
    every = Loss(link=LINK, loss="request", every=2)
    rig = Rig(switched, udp.server, Partition(link=LINK, partition="reply"), every)
    rig.switch(True, 0)
    rig.switch(True, 1)
    assert (udp.asked(), udp.answered()) == ([number for number in ALL if number % 2], [])
    rig.switch(False, 0)
    assert (udp.asked(), udp.answered()) == ([number for number in ALL if number % 2], ALL)
    rig.switch(False, 1)
    assert (udp.asked(), udp.answered()) == (ALL, ALL)


def test_a_split_cuts_nodes_off_whatever_they_send(switched: Switched) -> None:
    udp = Datagrams(switched)
    rig = Rig(switched, udp.server, Split(split="groups", groups=(("client",), ("server", "other"))))
    rig.switch(True)
    assert (udp.asked(), udp.answered()) == ([], [])
    assert udp.through(udp.client, udp.other, "other") == []
    assert udp.through(udp.other, udp.server, "server") == ALL
    rig.switch(False)
    assert (udp.asked(), udp.answered()) == (ALL, ALL)
    assert rig.counted() == {
        (LINK, "request"): COUNT,
        (LINK, "reply"): COUNT,
        ("client -> other", "request"): COUNT,
        ("other -> client", "request"): 0,
    }


def test_icmp_tells_a_datagram_socket(switched: Switched) -> None:
    udp = Datagrams(switched, connected=True)
    rig = Rig(switched, udp.server, Reject(link=LINK, reject="icmp"))
    rig.switch(True)
    udp.client.send(b"x")
    with pytest.raises(ConnectionRefusedError):
        udp.client.recv(100)
    rig.switch(False)
    udp.client.send(b"x")
    assert udp.server.recv(100) == b"x"
    assert rig.counted() == {(LINK, "request"): 1}


class Streams:
    """A listening server and clients' connections to it."""

    def __init__(self, switched: Switched, stack: ExitStack) -> None:
        self._switched = switched
        self._stack = stack
        self.server = switched.socket("server", socket.SOCK_STREAM)
        self.server.listen()

    def connection(self) -> tuple[socket.socket, socket.socket]:
        """The client's end and the server's."""
        client = self._switched.socket("client", socket.SOCK_STREAM)
        client.connect(self.server.getsockname())
        server, _ = self.server.accept()
        server.settimeout(20)
        return client, self._stack.enter_context(server)


@pytest.fixture
def streams(switched: Switched) -> Iterator[Streams]:
    with ExitStack() as stack:
        yield Streams(switched, stack)


def passes(one: socket.socket, other: socket.socket) -> None:
    one.sendall(b"request")
    assert other.recv(100) == b"request"
    other.sendall(b"reply")
    assert one.recv(100) == b"reply"


def unanswered(sock: socket.socket) -> int:
    """Segments that TCP has sent and the other side has not acknowledged (tcpi_unacked of linux/tcp.h)."""
    return int.from_bytes(sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 104)[24:28], "little")


def test_a_reset_ends_open_connections_and_refuses_new_ones(switched: Switched, streams: Streams) -> None:
    client, server = streams.connection()
    rig = Rig(switched, streams.server, Reject(link=LINK, reject="rst"))
    passes(client, server)
    rig.switch(True)
    client.sendall(b"request")
    with pytest.raises(ConnectionResetError):
        client.recv(100)
    with pytest.raises(ConnectionRefusedError):
        streams.connection()
    rig.switch(False)
    passes(*streams.connection())
    assert rig.counted() == {(LINK, "request"): 2}


def test_an_acknowledgement_is_not_rejected(switched: Switched, streams: Streams) -> None:
    """A reply that is on its way when the rule comes on still arrives, and its connection goes on."""
    client, server = streams.connection()
    rig = Rig(switched, streams.server, Reject(link=LINK, reject="rst"))
    rig.switch(True)
    server.sendall(b"reply")
    assert client.recv(100) == b"reply"
    until(lambda: not unanswered(server), "the reply to be acknowledged")
    rig.switch(False)
    passes(client, server)
    assert rig.counted() == {(LINK, "request"): 0}


def test_icmp_refuses_a_new_connection(switched: Switched, streams: Streams) -> None:
    rig = Rig(switched, streams.server, Reject(link=LINK, reject="icmp"))
    rig.switch(True)
    with pytest.raises(ConnectionRefusedError):
        streams.connection()
    rig.switch(False)
    passes(*streams.connection())


def test_a_black_hole_swallows_one_connection_only(switched: Switched, streams: Streams) -> None:
    pairs = sorted((streams.connection() for _ in range(3)), key=lambda pair: pair[0].getsockname())
    rig = Rig(switched, streams.server, Blackhole(link=LINK, blackhole=2))
    rig.switch(True)
    client, server = pairs.pop(1)
    client.sendall(b"lost")
    server.sendall(b"lost too")
    for pair in pairs:
        passes(*pair)
    passes(*streams.connection())
    assert unanswered(client)
    assert unanswered(server)
    rig.switch(False)
    assert server.recv(100) == b"lost"  # TCP's retransmission
    assert client.recv(100) == b"lost too"
    assert all(count >= 1 for count in rig.counted().values())
    assert set(rig.counted()) == {(LINK, "request"), (LINK, "reply")}


def test_a_black_hole_without_a_connection_swallows_nothing(switched: Switched, streams: Streams) -> None:
    client, server = streams.connection()
    rig = Rig(switched, streams.server, Blackhole(link=LINK, blackhole=2))
    rig.switch(True)
    passes(client, server)
    rig.switch(False)
    assert rig.switches() == [True, False]
    assert not any(rig.counted().values())


def test_tcp_repairs_a_partition_when_it_ends(switched: Switched, streams: Streams) -> None:
    client, server = streams.connection()
    rig = Rig(switched, streams.server, Partition(link=LINK, partition="reply"))
    rig.switch(True)
    client.sendall(b"request")
    assert server.recv(100) == b"request"
    assert unanswered(client)
    rig.switch(False)
    server.sendall(b"reply")
    assert client.recv(100) == b"reply"


def test_a_rule_meets_the_server_again_in_a_new_namespace(switched: Switched) -> None:
    udp = Datagrams(switched)
    rig = Rig(switched, udp.server, Partition(link=LINK, partition="both"))
    rig.switch(True)
    address = udp.server.getsockname()
    upstream = {"type": "upstream", "link": LINK, "epoch": 2, "places": switched.places()}
    udp.server.close()
    switched.unplug("server")
    rig.plane.obey({**upstream, "address": None})
    switched.plug("server")
    switched.run("client", "ip", "neigh", "flush", "all")  # it has another hardware address now
    server = switched.socket("server", socket.SOCK_DGRAM)
    assert udp.through(udp.client, server, "server") == ALL  # another port
    assert "rule_0" not in switched.ruleset("server")
    rig.plane.obey({**upstream, "address": list(address)})
    assert "rule_0" in switched.ruleset("server")
    assert udp.through(server, udp.client, "client", 3) == [1, 2, 3]
    rig.plane.obey({"type": "heal"})
    assert rig.counted() == {(LINK, "request"): 0, (LINK, "reply"): 0}


def test_a_rule_that_is_still_there_goes_on_counting(switched: Switched) -> None:
    udp = Datagrams(switched)
    rig = Rig(switched, udp.server, Partition(link=LINK, partition="request"))
    rig.switch(True)
    assert udp.asked() == []
    upstream = {"type": "upstream", "link": LINK, "epoch": 2, "places": switched.places()}
    rig.plane.obey({**upstream, "address": list(udp.server.getsockname())})
    assert udp.asked() == []
    rig.plane.obey({"type": "heal"})
    assert rig.counted() == {(LINK, "request"): 2 * COUNT}


@pytest.mark.parametrize("end", [lambda plane: plane.obey({"type": "heal"}) and None, PacketPlane.close])
def test_what_is_not_ours_stays(switched: Switched, end: Callable[[PacketPlane], None]) -> None:
    udp = Datagrams(switched)
    switched.run("server", "nft", "add table inet theirs")
    before = switched.ruleset("server")
    rig = Rig(switched, udp.server, Partition(link=LINK, partition="both"))
    rig.switch(True)
    end(rig.plane)
    rig.plane.close()
    rig.plane.close()
    assert switched.ruleset("server") == before != ""
    assert switched.ruleset("client") == ""
    assert rig.switches() == [True, False]


def test_a_node_whose_namespace_is_gone_has_no_packets(switched: Switched) -> None:
    udp = Datagrams(switched)
    rig = Rig(switched, udp.server, Partition(link=LINK, partition="both"))
    udp.server.close()
    switched.unplug("server")
    rig.switch(True)
    rig.switch(False)
    assert rig.counted() == {(LINK, "reply"): 0}


def test_what_the_kernel_refuses_leaves_nothing(switched: Switched) -> None:
    """A ruleset that is wrong at the second node is taken away at the first."""
    udp = Datagrams(switched)
    rig = Rig(switched, udp.server, Partition(link=LINK, partition="both"))
    switched.run("client", "nft", "add table ip faultbed; add counter ip faultbed rule_0_0 { packets 5 bytes 5; }")
    with pytest.raises(BadConfiguration, match=r"nft -f - failed at /run/netns/.*-client: .*File exists"):
        rig.switch(True)
    assert "rule_0" not in switched.ruleset("server")
    assert rig.switches() == []


def test_dropped_where_it_leaves_a_packet_is_not_lost_in_silence(switched: Switched) -> None:
    """Why our rules are at the input: the other way the sender is told, which no network does."""
    udp = Datagrams(switched)
    chain = "add chain ip broken output { type filter hook output priority filter; }"
    switched.run("client", "nft", f"add table ip broken; {chain}; add rule ip broken output drop")
    with pytest.raises(PermissionError):
        udp.client.sendto(b"x", udp.server.getsockname())
