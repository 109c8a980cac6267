"""What the traffic control is asked to do, step by step, with a kernel that only listens."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest

from chaos.faults.packets import Netem, Shape
from chaos.planes.packet import tc
from chaos.planes.packet.mechanism import Count, Flow, Place, Rule
from chaos.planes.packet.namespace import NamespaceError, NamespaceGone
from chaos.planes.packet.shaping import Shaping

FLOW = Flow("client -> server", "udp", "client", "server", 7000)
RULE = Rule(3, Netem(link=FLOW.link, netem=Shape(loss=0.5), of="both"), FLOW)
NEW = ("tc utility, iproute2-6.15.0", "6.12.0")
OLD = ("tc utility, iproute2-6.1.0", "6.12.0")


class Listener:
    """A namespace with one device. It keeps what it was told, and shows what `qdiscs` has."""

    def __init__(self, versions: tuple[str, str] = NEW) -> None:
        self.versions = versions
        self.told: list[str] = []
        self.qdiscs: list[dict[str, object]] = []
        self.failure: NamespaceError | None = None

    def run(self, argv: Sequence[str], text: str = "") -> str:
        if argv == tc.BATCH:
            self.told += text.splitlines()
            if self.failure is not None and " netem " in text:
                raise self.failure
            return ""
        answers = {
            tc.VERSION: self.versions[0],
            tc.RELEASE: self.versions[1],
            tc.link("eth9"): '[{"ifname": "eth9", "mtu": 1500}]',
            tc.show("eth9"): json.dumps(self.qdiscs),
        }
        return answers.get(tuple(argv), '[{"dev": "eth9"}]')

    def seeds(self) -> list[str]:
        return [line.partition(" seed ")[2] for line in self.told if " netem " in line]

    def leaf(self, index: int, waiting: int) -> None:
        """From now on it has our root, and a rule's discipline."""
        counts = {"packets": 5, "bytes": 500, "drops": 2, "qlen": waiting}
        self.qdiscs = [
            {"handle": "f:", "root": True, **counts},
            {"handle": f"{0x1000 + index:x}:", "parent": f"f:{index + 1:x}", **counts},
        ]


def shaping(client: Listener, server: Listener) -> Shaping:
    return Shaping({"client": Place("10.0.0.2", client), "server": Place("10.0.0.3", server)}, 7)


def test_the_seed_is_given_whenever_the_rule_is_switched_on() -> None:
    client, server = Listener(), Listener()
    mechanism = shaping(client, server)
    for _ in range(2):
        mechanism.on(RULE)
        mechanism.off(RULE)
    assert client.seeds() == [str(tc.seed_of(7, 3, "request"))] * 2
    assert server.seeds() == [str(tc.seed_of(7, 3, "reply"))] * 2


def test_where_netem_takes_no_seed_none_is_given() -> None:
    client, server = Listener(OLD), Listener()
    shaping(client, server).on(RULE)
    assert client.seeds() == [""]
    assert server.seeds() != [""]


@pytest.mark.parametrize("waiting", [0, 4])
def test_a_rule_that_goes_takes_its_class_along_only_if_nothing_waits(waiting: int) -> None:
    client, server = Listener(), Listener()
    mechanism = shaping(client, server)
    mechanism.on(RULE)
    client.leaf(3, waiting)
    client.told.clear()
    counts = mechanism.off(RULE)
    removed = [] if waiting else ["class delete dev eth9 classid f:4"]
    assert client.told == ["filter delete dev eth9 parent f: protocol ip pref 4", *removed]
    assert counts == [Count(FLOW.link, "request", 7 + waiting, 500)]  # the server shows none, as one that is new would


def test_the_root_is_made_once_and_what_waited_for_an_old_rule_is_cleared() -> None:
    client, server = Listener(), Listener()
    mechanism = shaping(client, server)
    client.leaf(8, waiting=0)
    mechanism.on(RULE)
    assert client.told[0] == "class delete dev eth9 classid f:9"
    assert server.told[0] == "qdisc add dev eth9 root handle f: htb default 0"


def test_what_still_waits_for_an_old_rule_stays() -> None:
    client, server = Listener(), Listener()
    client.leaf(8, waiting=1)
    shaping(client, server).on(RULE)
    assert client.told[0].startswith("class add ")


def test_a_refusal_at_one_end_is_undone_at_both_and_names_the_line() -> None:
    client, server = Listener(), Listener()
    server.failure = NamespaceError(
        "tc -batch - failed at there: Error: Specified qdisc kind is unknown.\nCommand failed -:3"
    )
    mechanism = shaping(client, server)
    with pytest.raises(NamespaceError, match=r"\(qdisc add dev eth9 parent f:4 .*loss random 50%.*\); .*modprobe"):
        mechanism.on(RULE)
    undone = ["filter delete dev eth9 parent f: protocol ip pref 4", "class delete dev eth9 classid f:4"]
    assert client.told[-2:] == undone
    assert server.told[-2:] == undone
    server.failure = None
    mechanism.again("client")
    assert client.told[-2:] == undone


def test_a_node_that_is_gone_has_no_packets() -> None:
    client, server = Listener(), Listener()
    server.failure = NamespaceGone("its container ended")
    mechanism = shaping(client, server)
    mechanism.on(RULE)
    client.leaf(3, waiting=0)
    assert [count.direction for count in mechanism.off(RULE)] == ["request"]
    client.qdiscs = []
    mechanism.close()
