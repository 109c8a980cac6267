"""Packet faults as rulesets: golden texts, which tests/integration/test_netfilter.py gives to a real kernel."""

from __future__ import annotations

import json
from typing import Any

import pytest

from chaos.faults.packets import Blackhole, Loss, Reject
from chaos.faults.paths import Partition
from chaos.planes.packet import nft
from chaos.planes.packet.connections import Peer
from chaos.planes.packet.mechanism import Flow

LINK = "client -> server"
UDP = Flow(LINK, "udp", "client", "server", 7000)
TCP = UDP._replace(transport="tcp")
ADDRESSES = {"client": "10.0.0.2", "server": "10.0.0.1", "other": "10.0.0.3"}
REQUEST = "ip saddr 10.0.0.2 ip daddr 10.0.0.1 {} dport 7000"
REPLY = "ip saddr 10.0.0.1 ip daddr 10.0.0.2 {} sport 7000"


def made(fault: Any, flow: Flow, peers: tuple[Peer, ...] = ()) -> list[tuple[str, str, str, str]]:
    """(node, direction, match, verdict) of each clause."""
    clauses = nft.clauses(fault, flow, ADDRESSES, peers)
    assert all(clause.link == flow.link for clause in clauses)
    return [(clause.node, clause.direction, clause.match, clause.verdict) for clause in clauses]


def test_a_partition_drops_where_packets_arrive() -> None:
    request = ("server", "request", REQUEST.format("udp"), "drop")
    reply = ("client", "reply", REPLY.format("udp"), "drop")
    assert made(Partition(link=LINK, partition="request"), UDP) == [request]
    assert made(Partition(link=LINK, partition="reply"), UDP) == [reply]
    assert made(Partition(link=LINK, partition="both"), UDP) == [request, reply]


@pytest.mark.parametrize(
    ("fault", "share"),
    [
        (Loss(link=LINK, loss="request", every=3), " numgen inc mod 3 2"),
        (Loss(link=LINK, loss="request", every=1), " numgen inc mod 1 0"),
        (Loss(link=LINK, loss="request", probability=0.25), " numgen random mod 16777216 < 4194304"),
        (Loss(link=LINK, loss="request", probability=1.0), ""),
        (Loss(link=LINK, loss="request", probability=2**-24), " numgen random mod 16777216 < 1"),
    ],
)
def test_loss_takes_a_share(fault: Loss, share: str) -> None:
    assert made(fault, UDP) == [("server", "request", REQUEST.format("udp") + share, "drop")]


@pytest.mark.parametrize(
    ("kind", "flow", "verdict"),
    [
        ("rst", TCP, "reject with tcp reset"),
        ("icmp", TCP, "reject with icmp port-unreachable"),
        ("icmp", UDP, "reject with icmp port-unreachable"),
    ],
)
def test_requests_are_rejected(kind: Any, flow: Flow, verdict: str) -> None:
    asking = REQUEST.format(flow.transport) + (" tcp flags & (syn | psh) != 0" if flow is TCP else "")
    expected = [("server", "request", asking, verdict)]
    assert made(Reject(link=LINK, reject=kind), flow) == expected


def test_a_black_hole_takes_one_connection_both_ways() -> None:
    peers = (Peer("10.0.0.2", 40001), Peer("10.0.0.2", 40007))
    assert made(Blackhole(link=LINK, blackhole=2), TCP, peers) == [
        ("server", "request", REQUEST.format("tcp") + " tcp sport 40007", "drop"),
        ("client", "reply", REPLY.format("tcp") + " tcp dport 40007", "drop"),
    ]
    assert made(Blackhole(link=LINK, blackhole=3), TCP, peers) == []


@pytest.mark.parametrize(
    ("fault", "text"),
    [
        (Loss(link=LINK, loss="both"), "probability is 0.0, expected above 1e-7"),
        (Loss(link=LINK, loss="both", probability=1e-9), "probability is 1e-09, expected above 1e-7"),
        (Reject(link=LINK, reject="rst"), "udp knows no reset; use reject: icmp"),
        (Blackhole(link=LINK, blackhole=1), "udp has no connections"),
    ],
)
def test_what_these_packets_cannot_have_is_refused(fault: Any, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        nft.clauses(fault, UDP, ADDRESSES)


def test_a_split_is_of_whole_nodes_and_counted_by_link_where_there_is_one() -> None:
    pairs = [("client", "server"), ("server", "client"), ("other", "server")]
    assert nft.split_clauses(pairs, [TCP], ADDRESSES) == [
        nft.Clause("server", LINK, "request", "ip saddr 10.0.0.2 ip daddr 10.0.0.1"),
        nft.Clause("server", "other -> server", "request", "ip saddr 10.0.0.3 ip daddr 10.0.0.1"),
        nft.Clause("client", LINK, "reply", "ip saddr 10.0.0.1 ip daddr 10.0.0.2"),
    ]


def test_transactions() -> None:
    lines = nft.clauses(Partition(link=LINK, partition="request"), UDP, ADDRESSES)
    assert nft.install(4, lines) == (
        "add table ip faultbed\n"
        "create counter ip faultbed rule_4_0\n"
        "create chain ip faultbed rule_4 { type filter hook input priority filter; policy accept; }\n"
        f'add rule ip faultbed rule_4 {REQUEST.format("udp")} counter name "rule_4_0" drop\n'
    )
    assert nft.remove(4) == "flush chain ip faultbed rule_4\ndelete chain ip faultbed rule_4\n"
    assert nft.take(4)[-1] == nft.remove(4)
    assert nft.forget(4, lines) == "delete counter ip faultbed rule_4_0\n"
    assert nft.remove_table() == "add table ip faultbed\ndelete table ip faultbed\n"


def test_no_ruleset_flushes_what_is_not_ours() -> None:
    lines = nft.clauses(Partition(link=LINK, partition="both"), UDP, ADDRESSES)
    for text in (nft.install(1, lines), nft.remove(1), nft.forget(1, lines), nft.remove_table()):
        assert all(nft.TABLE in line for line in text.splitlines())


def test_only_our_counters_are_read() -> None:
    counter = {"family": "ip", "table": "faultbed", "name": "rule_0_0", "handle": 1, "packets": 3, "bytes": 84}
    listing = {
        "nftables": [
            {"metainfo": {"version": "1.0.6"}},
            {"counter": counter},
            {"counter": {**counter, "family": "inet", "name": "x"}},
            {"counter": {**counter, "table": "filter", "name": "y"}},
        ]
    }
    assert nft.counted(json.dumps(listing)) == {"rule_0_0": nft.Counter(3, 84)}


def test_a_black_hole_takes_the_first_of_one() -> None:
    (request, reply) = made(Blackhole(link=LINK, blackhole=1), TCP, (Peer("10.0.0.2", 40001),))
    assert request[2].endswith("tcp sport 40001")
    assert reply[2].endswith("tcp dport 40001")


def test_what_both_directions_of_two_links_share_is_the_first_links() -> None:
    other = TCP._replace(link="server -> client", client="server", server="client")
    pairs = [("client", "server"), ("server", "client")]
    assert {(clause.link, clause.direction) for clause in nft.split_clauses(pairs, [TCP, other], ADDRESSES)} == {
        (LINK, "request"),
        (LINK, "reply"),
    }


def test_a_transaction_goes_in_by_standard_input() -> None:
    assert nft.COMMAND == ("nft", "-f", "-")


def test_one_command_takes_a_rule_away_and_then_reads_and_forgets() -> None:
    *shell, first = nft.take(3)
    assert shell == ["sh", "-c", 'nft "$0" && nft -j list counters && exec nft -f -']
    assert first == nft.remove(3)
