"""Links to the members of a multicast group: what is sent to it meets each of their hops, on real sockets."""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Iterator

import pytest
from link_bench import TIMEOUT, Evidence, loops, turn_until

from chaos.planes.loop import Loop
from chaos.planes.relay import Relay
from nodes.wire.record import Kind

LEFT, RIGHT = "client -> left", "client -> right"
DROP = {"kind": "Drop", "index": 0, "active": True, "link": LEFT, "drop": "request", "operations": [1]}


@pytest.fixture
def loop() -> Iterator[Loop]:
    with loops() as made:
        yield made


def link(
    name: str, member: int, server: socket.socket, rules: list[object], source: str = "client"
) -> dict[str, object]:
    return {
        "name": name,
        "transport": "multicast",
        "codec": "datagrams",
        "source": source,
        "member": member,
        "upstream": list(server.getsockname()),
        "epoch": 1,
        "rules": rules,
    }


def udp() -> socket.socket:
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.bind(("127.0.0.1", 0))
    made.settimeout(TIMEOUT)
    return made


def test_each_member_gets_it_past_its_own_hop_and_is_answered_alone(loop: Loop) -> None:
    evidence = Evidence()
    relay = Relay(loop, evidence)
    with udp() as left, udp() as right, udp() as elsewhere, udp() as client:
        links = [link(LEFT, 0, left, [DROP]), link(RIGHT, 1, right, []), link("b -> left", 0, elsewhere, [], "b")]
        made = relay._open({"listen": "127.0.0.1", "seed": 1, "links": links})
        group = tuple(made[LEFT])
        assert tuple(made[RIGHT]) == group != tuple(made["b -> left"])
        for number in (1, 3):
            client.sendto(b"10101 %d ab" % number, group)
        turn_until(loop, lambda: len(evidence.of(Kind.DECISION)) == 4)
        assert left.recv(100) == b"10101 3 ab"
        data, back = right.recvfrom(100)
        assert (data, right.recv(100)) == (b"10101 1 ab", b"10101 3 ab")
        right.sendto(b"10101 2 ab", back)
        turn_until(loop, lambda: len(evidence.of(Kind.DECISION)) == 5)
        assert client.recv(100) == b"10101 2 ab"
    decided = [(detail["link"], detail["direction"], detail["act"]) for detail in evidence.of(Kind.DECISION)]
    assert sorted(decided[:4]) == [
        (LEFT, "request", "drop"),
        (LEFT, "request", "pass"),
        *[(RIGHT, "request", "pass")] * 2,
    ]
    assert decided[4] == (RIGHT, "reply", "pass")


def test_a_group_that_nobody_can_join_is_refused(loop: Loop) -> None:
    with udp() as server, pytest.raises(OSError, match=os.strerror(errno.ENODEV)):
        Relay(loop, Evidence())._open({"listen": "192.0.2.1", "seed": 1, "links": [link(LEFT, 0, server, [])]})
